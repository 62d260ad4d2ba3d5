using System.Runtime.InteropServices;
using TorchSharp;
using static TorchSharp.torch;

namespace Microsoft.ML.Distillation.Detectors.Boxes;

/// <summary>
/// Whole tensors to arrays and back: one copy (and on an accelerator one wait) for the many small steps of matching,
/// sampling and suppression, which plain loops do faster than tensor operations.
/// </summary>
internal static class TensorArrays
{
    /// <summary>The values of a float tensor, in row-major order.</summary>
    public static float[] Floats(Tensor tensor) => Copy<float>(tensor, ScalarType.Float32);

    /// <summary>The values of an integer tensor, in row-major order.</summary>
    public static long[] Integers(Tensor tensor) => Copy<long>(tensor, ScalarType.Int64);

    /// <summary>N boxes [N,4] on a device; N may be 0.</summary>
    public static Tensor Boxes(float[] rows, Device device) => Matrix(rows, 4, device);

    /// <summary>Rows of equal length [N,columns] on a device; N may be 0.</summary>
    public static Tensor Matrix(float[] values, int columns, Device device)
        => values.Length == 0 ? zeros([0, columns], ScalarType.Float32, device) : tensor(values, [values.Length / columns, columns], device: device);

    /// <summary>A vector on a device; it may be empty.</summary>
    public static Tensor Vector(long[] values, Device device)
        => values.Length == 0 ? zeros([0], ScalarType.Int64, device) : tensor(values, device: device);

    /// <inheritdoc cref="Vector(long[], Device)"/>
    public static Tensor Vector(float[] values, Device device)
        => values.Length == 0 ? zeros([0], ScalarType.Float32, device) : tensor(values, device: device);

    private static T[] Copy<T>(Tensor tensor, ScalarType type) where T : unmanaged
    {
        using DisposeScope scope = NewDisposeScope();
        var values = new T[tensor.NumberOfElements];
        if (values.Length == 0) return values;
        Tensor plain = tensor.detach().to(type, CPU).contiguous();
        MemoryMarshal.Cast<byte, T>(plain.bytes).CopyTo(values);
        GC.KeepAlive(plain);
        return values;
    }
}
