using System.Globalization;

namespace TorchSharp;

// Devices, and what the machine has.
public static partial class torch
{
    public static readonly Device CPU = new(DeviceType.CPU);

    public static Device CUDA { get; } = new(DeviceType.CUDA);

    public class Device
    {
        public Device(string description)
        {
            string[] parts = description.Split(':');
            if (parts.Length > 2) throw new ArgumentException($"invalid device string: '{description}'", nameof(description));
            type = TypeOf(parts[0]);
            index = parts.Length == 2 ? int.Parse(parts[1], CultureInfo.InvariantCulture) : -1;
        }

        public Device(string deviceType, int index = -1) : this(TypeOf(deviceType), index) { }

        public Device(DeviceType deviceType, int index = -1)
        {
            type = deviceType;
            this.index = deviceType == DeviceType.CPU ? -1 : index;
        }

        public Device(int index) : this(DeviceType.CUDA, index) { }

        public DeviceType type { get; }

        public int index { get; }

        /// <summary>See device_of in native/torchshim.cpp.</summary>
        internal long Packed => ((long)type << 32) | (uint)index;

        internal static Device Of(long packed) => new((DeviceType)(packed >> 32), (int)packed);

        public static implicit operator Device(string description) => new(description);

        public override string ToString() => index < 0 ? NameOf(type) : $"{NameOf(type)}:{index}";

        private static DeviceType TypeOf(string name) => Enum.TryParse(name, ignoreCase: true, out DeviceType type) && NameOf(type) == name
            ? type : throw new ArgumentException($"invalid device type: '{name}'");

#pragma warning disable CA1308 // Devices are written in lower case.
        private static string NameOf(DeviceType type) => type.ToString().ToLowerInvariant();
#pragma warning restore CA1308
    }

    public static Device device(string description) => new(description);

    public static Device device(string deviceType, int index = -1) => new(deviceType, index);

    public static Device device(DeviceType deviceType, int index = -1) => new(deviceType, index);

    public static Device device(int index) => new(index);

    public static int get_num_threads() => Native.shim_num_threads();

    public static void set_num_threads(int num) => Native.Check(Native.shim_set_num_threads(num));

    public static class cuda
    {
        public static bool is_available() => device_count() > 0;

        public static int device_count() => Native.shim_device_count((int)DeviceType.CUDA);
    }
}
