using System.Runtime.InteropServices;
using Microsoft.ML.Distillation.Tensors;
using TorchSharp;
using static TorchSharp.torch;

namespace Microsoft.ML.Distillation.Detectors.Boxes;

/// <summary>Elementary operations on boxes x0 y0 x1 y1, in any one unit.</summary>
internal static class BoxOps
{
    /// <summary>The areas [N] of boxes [N,4].</summary>
    public static Tensor Area(Tensor boxes)
    {
        using DisposeScope scope = NewDisposeScope();
        Tensor size = boxes.narrow(-1, 2, 2) - boxes.narrow(-1, 0, 2);
        return size.prod(-1).MoveToOuterDisposeScope();
    }

    /// <summary>The intersection over union [N,M] of each of <paramref name="a"/> [N,4] with each of <paramref name="b"/> [M,4].</summary>
    public static Tensor Iou(Tensor a, Tensor b)
    {
        using DisposeScope scope = NewDisposeScope();
        Tensor first = a.unsqueeze(1), second = b.unsqueeze(0);
        Tensor low = maximum(first.narrow(-1, 0, 2), second.narrow(-1, 0, 2));
        Tensor high = minimum(first.narrow(-1, 2, 2), second.narrow(-1, 2, 2));
        Tensor shared = (high - low).relu_().prod(-1);
        Tensor union = Area(a).unsqueeze(1).Plus(Area(b).unsqueeze(0)) - shared;
        return (shared / union).MoveToOuterDisposeScope();
    }

    /// <summary>The intersection over union of two boxes; 0 where they share nothing.</summary>
    public static double Iou(ReadOnlySpan<float> a, ReadOnlySpan<float> b)
    {
        double width = Math.Min(a[2], b[2]) - (double)Math.Max(a[0], b[0]), height = Math.Min(a[3], b[3]) - (double)Math.Max(a[1], b[1]);
        if (width <= 0 || height <= 0) return 0;
        double overlap = width * height;
        return overlap / (Area(a) + Area(b) - overlap);

        static double Area(ReadOnlySpan<float> box) => ((double)box[2] - box[0]) * ((double)box[3] - box[1]);
    }

    /// <summary>Boxes [...,4] limited to 0..width and 0..height.</summary>
    public static Tensor Clip(Tensor boxes, float width, float height)
    {
        using DisposeScope scope = NewDisposeScope();
        Tensor limit = tensor([width, height, width, height], device: boxes.device);
        return minimum(boxes.relu(), limit).MoveToOuterDisposeScope();
    }

    /// <summary>Limits one box to 0..width and 0..height.</summary>
    public static void Clip(Span<float> box, float width, float height)
    {
        box[0] = Math.Clamp(box[0], 0, width);
        box[1] = Math.Clamp(box[1], 0, height);
        box[2] = Math.Clamp(box[2], 0, width);
        box[3] = Math.Clamp(box[3], 0, height);
    }

    /// <summary>Whether both sides of a box have at least this length.</summary>
    public static bool IsAtLeast(ReadOnlySpan<float> box, float side) => box[2] - box[0] >= side && box[3] - box[1] >= side;
}

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
        => values.Length == 0 ? zeros([0, columns], ScalarType.Float32, device)
            : tensor(values, [values.Length / columns, columns], device: device);

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
