using System.Numerics.Tensors;
using Microsoft.ML.Distillation.Data;
using Microsoft.ML.Distillation.Detectors.Boxes;

namespace Microsoft.ML.Distillation.Teachers.OnnxDetectors;

/// <summary>A teacher's predictions as the detections that it would report: to look at and to measure it.</summary>
internal static class Suppression
{
    /// <summary>The detections in the student's classes.</summary>
    /// <inheritdoc cref="Detect(DensePredictions, float)"/>
    public static Detections Detect(StudentPredictions predictions, float threshold = 0.5f)
    {
        // Without the first column, which is background.
        float[] objects = [.. Enumerable.Range(0, predictions.Count).SelectMany(i => predictions.ProbabilitiesOf(i)[1..].ToArray())];
        return Detect(new DensePredictions(predictions.Boxes, objects, predictions.Confidences), threshold);
    }

    /// <summary>The detections, best first: each prediction's best class, without what overlaps a better one of its class.</summary>
    /// <param name="threshold">The overlap (IoU) from which on the worse of two is dropped.</param>
    public static Detections Detect(DensePredictions predictions, float threshold = 0.5f)
    {
        if (predictions.Count == 0) return new Detections([], [], []);
        int classes = predictions.Probabilities.Length / predictions.Count;
        long[] labels = [.. Enumerable.Range(0, predictions.Count).Select(i =>
            (long)TensorPrimitives.IndexOfMax(predictions.Probabilities.AsSpan(i * classes, classes)))];
        int[] kept = Nms.KeepBatched(predictions.Boxes, predictions.Confidences, labels, threshold);
        return new Detections(
            [.. kept.SelectMany(i => predictions.Boxes[(4 * i)..(4 * i + 4)])],
            [.. kept.Select(i => predictions.Confidences[i])],
            [.. kept.Select(i => (int)labels[i])]);
    }
}
