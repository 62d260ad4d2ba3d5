using System.Runtime.InteropServices;
using Microsoft.ML.Distillation.Boxes;
using Microsoft.ML.Distillation.Detectors.Boxes;
using Microsoft.ML.Distillation.Images;
using Microsoft.ML.Distillation.Rows;
using static TorchSharp.torch;

namespace Microsoft.ML.Distillation.Teachers.Labelling;

/// <summary>A teacher that looks at each image in several ways and merges what it finds.</summary>
/// <param name="teacher">The teacher. It still belongs to the caller.</param>
internal sealed class TeacherEnsemble(ITeacher teacher, EnsembleOptions options)
{
    private const int LargestBatch = 8;

    private readonly ImageGeometry[] _parts = [.. options.Transforms.SelectMany(ViewTiles.Of)];

    /// <summary>How often the teacher looks at each image.</summary>
    public int Looks => _parts.Length;

    /// <summary>What the teacher finds in an image, in its student's classes and in shares of the image, best first.</summary>
    public Detections Detect(RgbImage image)
    {
        var found = new List<Detections>();
        foreach (ImageGeometry[] parts in _parts.Chunk(LargestBatch)) found.AddRange(Look(image, parts));
        Detections merged = BoxVoting.Merge(found, (float)options.SuppressionOverlap, (float)options.VotingOverlap);
        int count = 0;
        while (count < merged.Count && merged.Scores[count] >= options.LeastScore) count++;
        return merged.Of([.. Enumerable.Range(0, count)]);
    }

    private IEnumerable<Detections> Look(RgbImage image, ImageGeometry[] parts)
    {
        using var scope = NewDisposeScope();
        ImageSize size = teacher.InputSize, whole = new(image.Width, image.Height);
        Tensor views = empty(parts.Length, 3, size.Height, size.Width, float32, CPU);
        int length = 3 * size.Width * size.Height;
        for (int i = 0; i < parts.Length; i++)
        {
            Span<float> planes = MemoryMarshal.Cast<byte, float>(views.bytes).Slice(i * length, length);
            AntialiasedResize.Resize(image, parts[i].Region(whole), parts[i].Mirror, size, planes);
        }

        GC.KeepAlive(views);
        // All parts have the image's proportions.
        IReadOnlyList<Detections> answers = teacher.Detect(views, [.. parts.Select(_ => whole)]);
        return [.. answers.Zip(parts, ViewTiles.Back)];
    }
}

// b_k ← Σ_j s_j b_j / Σ_j s_j     over all boxes j of the same class with IoU(b_j, b_k) ≥ 0.8,     s_k as it was
//
// for each box k that non-maximum suppression leaves of the union of all predictions. Box voting: Gidaris, Komodakis, Object Detection
// via a Multi-Region and Semantic Segmentation-Aware CNN Model (ICCV 2015), as Radosavovic et al., Data Distillation (CVPR 2018) use it.

/// <summary>Merges what was found under several transforms; the formula stands at the top of the file.</summary>
internal static class BoxVoting
{
    /// <summary>The merged detections, best first.</summary>
    /// <param name="found">What was found under each, in shares of the image.</param>
    /// <param name="suppression">The overlap (IoU) beyond which the worse of two boxes of a class goes.</param>
    /// <param name="voting">The overlap (IoU) from which on a box has a say in where another lies.</param>
    public static Detections Merge(IReadOnlyList<Detections> found, float suppression, float voting)
    {
        float[] boxes = [.. found.SelectMany(one => one.Boxes)], scores = [.. found.SelectMany(one => one.Scores)];
        int[] labels = [.. found.SelectMany(one => one.Labels)];
        int[] kept = Nms.KeepBatched(boxes, scores, Array.ConvertAll(labels, label => (long)label), suppression);
        return new Detections(
            [.. kept.SelectMany(k => Vote(boxes, scores, labels, k, voting))],
            [.. kept.Select(k => scores[k])], [.. kept.Select(k => labels[k])]);
    }

    private static float[] Vote(float[] boxes, float[] scores, int[] labels, int winner, float voting)
    {
        Span<double> sum = stackalloc double[4];
        double total = 0;
        ReadOnlySpan<float> own = boxes.AsSpan(4 * winner, 4);
        for (int j = 0; j < labels.Length; j++)
        {
            if (labels[j] != labels[winner] || (j != winner && BoxOps.Iou(own, boxes.AsSpan(4 * j, 4)) < voting)) continue;
            for (int side = 0; side < 4; side++) sum[side] += (double)scores[j] * boxes[4 * j + side];
            total += scores[j];
        }

        if (total <= 0) return own.ToArray();
        return [(float)(sum[0] / total), (float)(sum[1] / total), (float)(sum[2] / total), (float)(sum[3] / total)];
    }
}

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
        return [.. starts.SelectMany(
            _ => starts, (y, x) => new ImageGeometry((float)x, (float)y, (float)extent, (float)extent, transform.Flip))];
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
            bool isCut = IsCut(left, part.X > 0) || IsCut(1 - right, part.X + part.Width < 1)
                || IsCut(box[1], part.Y > 0) || IsCut(1 - box[3], part.Y + part.Height < 1);
            if (isCut) continue;
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
