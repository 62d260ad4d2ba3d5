using System.Numerics.Tensors;
using Microsoft.ML.Distillation.Boxes;
using Microsoft.ML.Distillation.Rows;

namespace Microsoft.ML.Distillation.Published;

/// <summary>A detector's predictions as the detections that it reports.</summary>
internal static class Suppression
{
    /// <summary>The overlap (IoU) from which on the worse of two boxes of a class is dropped, as detectors are published with it.</summary>
    public const float Threshold = 0.5f;

    /// <summary>The detections, best first: each prediction's best class, without what overlaps a better one of its class.</summary>
    /// <param name="threshold">The overlap (IoU) from which on the worse of two is dropped; at 1 none is.</param>
    /// <param name="agnostic">Whether the two may be of different classes.</param>
    public static Detections Detect(DensePredictions predictions, float threshold = Threshold, bool agnostic = false)
    {
        if (predictions.Count == 0) return new Detections([], [], []);
        int classes = predictions.Probabilities.Length / predictions.Count;
        int[] labels = [.. Enumerable.Range(0, predictions.Count).Select(i =>
            TensorPrimitives.IndexOfMax(predictions.Probabilities.AsSpan(i * classes, classes)))];
        return Distinct(new Detections(predictions.Boxes, predictions.Confidences, labels), threshold, agnostic);
    }

    /// <summary>The detections, best first, without what overlaps a better one of its class.</summary>
    /// <param name="threshold">The overlap (IoU) from which on the worse of two is dropped; at 1 none is.</param>
    /// <param name="agnostic">Whether the two may be of different classes.</param>
    public static Detections Distinct(Detections found, float threshold = Threshold, bool agnostic = false)
        => found.Of(Nms.KeepBatched(
            found.Boxes, found.Scores, Array.ConvertAll(found.Labels, label => agnostic ? 0L : label), threshold));
}
