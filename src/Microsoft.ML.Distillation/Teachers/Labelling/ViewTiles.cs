using Microsoft.ML.Distillation.Data;

namespace Microsoft.ML.Distillation.Teachers.Labelling;

/// <summary>The parts of an image that a transform shows, and the way back from what was found in them.</summary>
internal static class ViewTiles
{
    /// <summary>Neighbouring parts share at least this share of their length, so that few objects are cut in both.</summary>
    private const double Overlap = 0.25;

    /// <summary>A box that ends so near to the edge of a part, as a share of its length, may be cut by it.</summary>
    private const float EdgeShare = 0.01f;

    /// <summary>The parts.</summary>
    public static IReadOnlyList<ImageGeometry> Of(LabelTransform transform)
    {
        double extent = 1 / transform.Scale;
        double[] starts = Starts(extent);
        return [.. starts.SelectMany(_ => starts, (y, x) => new ImageGeometry((float)x, (float)y, (float)extent, (float)extent, transform.Flip))];
    }

    /// <summary>
    /// Brings what was found in a part back to the image. Left out is what the part's edge may have cut, unless that is the image's own
    /// edge, and what lies in the free sides.
    /// </summary>
    public static Detections Back(Detections found, ImageGeometry part)
    {
        var boxes = new List<float>();
        var kept = new List<int>();
        for (int i = 0; i < found.Count; i++)
        {
            ReadOnlySpan<float> box = found.Boxes.AsSpan(4 * i, 4);
            (float left, float right) = part.Mirror ? (1 - box[2], 1 - box[0]) : (box[0], box[2]);
            if (IsCut(left, part.X > 0) || IsCut(1 - right, part.X + part.Width < 1) || IsCut(box[1], part.Y > 0) || IsCut(1 - box[3], part.Y + part.Height < 1)) continue;
            float x0 = Math.Clamp(part.X + left * part.Width, 0, 1), x1 = Math.Clamp(part.X + right * part.Width, 0, 1);
            float y0 = Math.Clamp(part.Y + box[1] * part.Height, 0, 1), y1 = Math.Clamp(part.Y + box[3] * part.Height, 0, 1);
            if (!(x1 > x0 && y1 > y0)) continue;
            boxes.AddRange([x0, y0, x1, y1]);
            kept.Add(i);
        }

        return new Detections([.. boxes], [.. kept.Select(i => found.Scores[i])], [.. kept.Select(i => found.Labels[i])]);
    }

    private static double[] Starts(double extent)
    {
        if (extent >= 1) return [(1 - extent) / 2];
        int count = Math.Max(2, 1 + (int)Math.Ceiling((1 - extent) / (extent * (1 - Overlap)) - 1e-9));
        return [.. Enumerable.Range(0, count).Select(i => i * (1 - extent) / (count - 1))];
    }

    private static bool IsCut(float distance, bool isInner) => isInner && distance < EdgeShare;
}
