using TorchSharp.Utils;

namespace TorchSharp;

// A tensor's values in managed memory.
public static partial class torch
{
    public unsafe partial class Tensor
    {
        public TensorAccessor<T> data<T>() where T : struct => new(this);

        /// <summary>The memory of a contiguous tensor on the CPU.</summary>
        public Span<byte> bytes
        {
            get
            {
                if (!is_contiguous()) throw new InvalidOperationException("Bytes() called on non-contiguous tensor.");
                if (device_type != DeviceType.CPU) throw Substitute.Lacks("the bytes of a tensor that is not on the CPU");
                return new Span<byte>((void*)Address, checked((int)(numel() * element_size())));
            }
            set
            {
                Span<byte> own = bytes;
                if (value.Length != own.Length) throw new ArgumentException("Mismatched data sizes in SetBytes().");
                value.CopyTo(own);
                GC.KeepAlive(this);
            }
        }

        public T item<T>() where T : struct
        {
            if (numel() != 1) throw new ArgumentException("Number of elements in the tensor must be 1");
            if (device_type == DeviceType.CPU) return data<T>().ToArray()[0];
            using Tensor here = cpu();
            return here.data<T>().ToArray()[0];
        }

        public Scalar ToScalar() => Ops.Number("item", this);

        /// <summary>Where the first element lies.</summary>
        internal nint Address
        {
            get
            {
                nint address;
                Native.Check(Native.shim_tensor_data(Handle, &address));
                GC.KeepAlive(this);
                return address;
            }
        }
    }
}
