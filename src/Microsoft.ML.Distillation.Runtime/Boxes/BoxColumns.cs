using System.Numerics;

namespace Microsoft.ML.Distillation.Boxes;

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
