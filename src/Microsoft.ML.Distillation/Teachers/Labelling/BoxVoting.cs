using Microsoft.ML.Distillation.Data;
using Microsoft.ML.Distillation.Detectors.Boxes;

namespace Microsoft.ML.Distillation.Teachers.Labelling;

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
            [.. kept.SelectMany(k => Vote(boxes, scores, labels, k, voting))], [.. kept.Select(k => scores[k])], [.. kept.Select(k => labels[k])]);
    }

    private static float[] Vote(float[] boxes, float[] scores, int[] labels, int winner, float voting)
    {
        Span<double> sum = stackalloc double[4];
        double total = 0;
        ReadOnlySpan<float> own = boxes.AsSpan(4 * winner, 4);
        for (int j = 0; j < labels.Length; j++)
        {
            if (labels[j] != labels[winner] || (j != winner && Iou(own, boxes.AsSpan(4 * j, 4)) < voting)) continue;
            for (int side = 0; side < 4; side++) sum[side] += (double)scores[j] * boxes[4 * j + side];
            total += scores[j];
        }

        return total > 0 ? [(float)(sum[0] / total), (float)(sum[1] / total), (float)(sum[2] / total), (float)(sum[3] / total)] : own.ToArray();
    }

    private static double Iou(ReadOnlySpan<float> a, ReadOnlySpan<float> b)
    {
        double width = Math.Min(a[2], b[2]) - (double)Math.Max(a[0], b[0]), height = Math.Min(a[3], b[3]) - (double)Math.Max(a[1], b[1]);
        if (width <= 0 || height <= 0) return 0;
        double overlap = width * height;
        return overlap / (Area(a) + Area(b) - overlap);
    }

    private static double Area(ReadOnlySpan<float> box) => ((double)box[2] - box[0]) * ((double)box[3] - box[1]);
}
