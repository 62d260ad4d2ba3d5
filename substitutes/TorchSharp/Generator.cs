namespace TorchSharp;

// Random numbers: generators, and the seed of the default ones.
public static partial class torch
{
    public unsafe class Generator : IDisposable
    {
        private nint _handle;

        public Generator(ulong seed = 0, Device? device = null) : this(device ?? CPU, seed, own: true) { }

        private Generator(Device device, ulong seed, bool own)
        {
            this.device = device;
            _handle = Native.Check(Native.shim_generator(device.Packed, seed, own ? 1 : 0));
        }

        ~Generator() => Dispose(false);

        public static Generator Default => new(CPU, 0, own: false);

        public Device device { get; }

        public IntPtr Handle => _handle != 0 ? _handle : throw new ObjectDisposedException(nameof(Generator));

        public Generator manual_seed(long seed)
        {
            Seed(1, (ulong)seed);
            return this;
        }

        /// <summary>Seeds from the machine's own randomness, and says with what.</summary>
        public long seed() => (long)Seed(2, 0);

        public long initial_seed() => (long)Seed(0, 0);

        public Tensor get_state()
        {
            nint state = 0;
            Native.Check(Native.shim_generator_state(Handle, 0, &state));
            GC.KeepAlive(this);
            return new Tensor(state);
        }

        public void set_state(Tensor value)
        {
            Native.Check(Native.shim_generator_state(Handle, value.Handle, null));
            GC.KeepAlive(this);
            GC.KeepAlive(value);
        }

        public void Dispose()
        {
            Dispose(true);
            GC.SuppressFinalize(this);
        }

        protected virtual void Dispose(bool disposing)
        {
            if (_handle != 0) Native.shim_generator_free(_handle);
            _handle = 0;
        }

        private ulong Seed(int action, ulong seed)
        {
            Native.Check(Native.shim_generator_seed(Handle, action, &seed));
            GC.KeepAlive(this);
            return seed;
        }
    }

    /// <summary>Seeds the default generators of all devices.</summary>
    public static Generator manual_seed(long seed)
    {
        Native.Check(Native.shim_manual_seed((ulong)seed));
        return Generator.Default;
    }

    public static class random
    {
        public static Generator manual_seed(long seed) => torch.manual_seed(seed);
    }
}
