using System.Runtime.InteropServices;

namespace TorchSharp;

// Tensors of one number, and what makes a tensor of values in managed memory.
public static partial class torch
{
    public static Tensor tensor(bool scalar, ScalarType? dtype = null, Device? device = null, bool requires_grad = false) => From([scalar], [], ScalarType.Bool, dtype, device, requires_grad, null);
    public static Tensor tensor(byte scalar, Device? device = null, bool requires_grad = false) => From([scalar], [], ScalarType.Byte, null, device, requires_grad, null);
    public static Tensor tensor(double scalar, ScalarType? dtype = null, Device? device = null, bool requires_grad = false) => From([scalar], [], ScalarType.Float64, dtype, device, requires_grad, null);
    public static Tensor tensor(short scalar, Device? device = null, bool requires_grad = false) => From([scalar], [], ScalarType.Int16, null, device, requires_grad, null);
    public static Tensor tensor(int scalar, Device? device = null, bool requires_grad = false) => From([scalar], [], ScalarType.Int32, null, device, requires_grad, null);
    public static Tensor tensor(long scalar, ScalarType? dtype = null, Device? device = null, bool requires_grad = false) => From([scalar], [], ScalarType.Int64, dtype, device, requires_grad, null);
    public static Tensor tensor(sbyte scalar, Device? device = null, bool requires_grad = false) => From([scalar], [], ScalarType.Int8, null, device, requires_grad, null);
    public static Tensor tensor(float scalar, Device? device = null, bool requires_grad = false) => From([scalar], [], ScalarType.Float32, null, device, requires_grad, null);

    internal static Tensor FromScalar(Scalar scalar) => scalar.Type switch
    {
        ScalarType.Bool => tensor(scalar.Bits != 0),
        ScalarType.Int64 => tensor(scalar.Bits),
        _ => tensor(scalar.Value),
    };

    private static Tensor From<T>(ReadOnlySpan<T> values, long[] shape, ScalarType own, ScalarType? dtype, Device? device, bool requires_grad, string[]? names) where T : unmanaged
    {
        Substitute.NoNames(names);
        long total = 1;
        foreach (long size in shape) total *= size;
        if (total != values.Length) throw new ArgumentException($"mismatched total size creating a tensor from an array: {total} vs. {values.Length}");
        Tensor made = empty(shape, own);
        if (total > 0) MemoryMarshal.AsBytes(values).CopyTo(made.bytes);
        if ((dtype ?? own) != own || (device is not null && device.type != DeviceType.CPU)) made = made.to(dtype ?? own, device ?? CPU, disposeAfter: true);
        return made.Recording(requires_grad);
    }

    private static T[] Flat<T>(Array values) => [.. values.Cast<T>()];

    private static long[] Lengths(Array values) => [.. Enumerable.Range(0, values.Rank).Select(values.GetLongLength)];
}
