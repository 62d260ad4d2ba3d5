using System.Numerics;
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

/// <summary>N boxes as five columns, the layout that vector instructions want. Coordinates in any one unit.</summary>
internal sealed class BoxColumns
{
    private BoxColumns(int count)
    {
        Count = count;
        (X0, Y0, X1, Y1, Area) = (new float[count], new float[count], new float[count], new float[count], new float[count]);
    }

    public int Count { get; }

    public float[] X0 { get; }

    public float[] Y0 { get; }

    public float[] X1 { get; }

    public float[] Y1 { get; }

    public float[] Area { get; }

    /// <summary>From 4N values, x0 y0 x1 y1 of each box.</summary>
    public static BoxColumns FromRows(ReadOnlySpan<float> rows)
    {
        var columns = new BoxColumns(rows.Length / 4);
        for (int i = 0; i < columns.Count; i++) columns.Set(i, rows.Slice(4 * i, 4));
        return columns;
    }

    /// <summary>From the rows named by <paramref name="order"/>, in that order.</summary>
    public static BoxColumns FromRows(ReadOnlySpan<float> rows, ReadOnlySpan<int> order)
    {
        var columns = new BoxColumns(order.Length);
        for (int i = 0; i < order.Length; i++) columns.Set(i, rows.Slice(4 * order[i], 4));
        return columns;
    }

    /// <summary>
    /// The intersection over union of one box with those from <paramref name="start"/> on, into
    /// <paramref name="iou"/>[start..]. Two boxes without area give NaN, as in torchvision.
    /// </summary>
    public void Iou(float x0, float y0, float x1, float y1, int start, Span<float> iou)
    {
        float area = (x1 - x0) * (y1 - y0);
        int i = start;
        if (Vector.IsHardwareAccelerated)
        {
            var (vx0, vy0, vx1, vy1) = (new Vector<float>(x0), new Vector<float>(y0), new Vector<float>(x1), new Vector<float>(y1));
            var vArea = new Vector<float>(area);
            for (; i <= Count - Vector<float>.Count; i += Vector<float>.Count)
            {
                Vector<float> width = Vector.Min(vx1, new Vector<float>(X1, i)) - Vector.Max(vx0, new Vector<float>(X0, i));
                Vector<float> height = Vector.Min(vy1, new Vector<float>(Y1, i)) - Vector.Max(vy0, new Vector<float>(Y0, i));
                Vector<float> shared = Vector.Max(width, Vector<float>.Zero) * Vector.Max(height, Vector<float>.Zero);
                (shared / (vArea + new Vector<float>(Area, i) - shared)).CopyTo(iou[i..]);
            }
        }

        for (; i < Count; i++)
        {
            float width = MathF.Max(MathF.Min(x1, X1[i]) - MathF.Max(x0, X0[i]), 0);
            float height = MathF.Max(MathF.Min(y1, Y1[i]) - MathF.Max(y0, Y0[i]), 0);
            float shared = width * height;
            iou[i] = shared / (area + Area[i] - shared);
        }
    }

    private void Set(int i, ReadOnlySpan<float> box)
    {
        (X0[i], Y0[i], X1[i], Y1[i]) = (box[0], box[1], box[2], box[3]);
        Area[i] = (box[2] - box[0]) * (box[3] - box[1]);
    }
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
