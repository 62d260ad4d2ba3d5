namespace Microsoft.ML.Distillation;

/// <summary>Detections in a file of COCO's format, measured against ground truth in another.</summary>
/// <param name="Metrics">The figures.</param>
/// <param name="Warnings">What is to be said of detections that were left out: those of images or classes that the ground truth does not
/// list.</param>
public sealed record CocoFileEvaluation(DetectionMetrics Metrics, IReadOnlyList<string> Warnings);
