namespace Microsoft.ML.Distillation;

/// <summary>
/// COCO's twelve figures for boxes, each from 0 to 1, equal to those of the reference implementation (COCOeval).
/// A figure is <see cref="double.NaN"/> where there is nothing to measure: no object, or none of that size.
/// </summary>
public sealed record CocoMetrics
{
    /// <summary>AP: mean over the classes and over the IoU thresholds .50 to .95.</summary>
    public required double AveragePrecision { get; init; }

    /// <summary>AP at IoU .50.</summary>
    public required double AveragePrecision50 { get; init; }

    /// <summary>AP at IoU .75.</summary>
    public required double AveragePrecision75 { get; init; }

    /// <summary>AP of objects of at most 32×32 pixels of area.</summary>
    public required double AveragePrecisionSmall { get; init; }

    /// <summary>AP of objects of 32×32 to 96×96 pixels of area.</summary>
    public required double AveragePrecisionMedium { get; init; }

    /// <summary>AP of objects of at least 96×96 pixels of area.</summary>
    public required double AveragePrecisionLarge { get; init; }

    /// <summary>Recall with one detection a class and image, mean over the IoU thresholds .50 to .95.</summary>
    public required double AverageRecall1 { get; init; }

    /// <summary>Recall with 10 detections a class and image.</summary>
    public required double AverageRecall10 { get; init; }

    /// <summary>Recall with 100 detections a class and image.</summary>
    public required double AverageRecall100 { get; init; }

    /// <summary>Recall of small objects, with 100 detections a class and image.</summary>
    public required double AverageRecallSmall { get; init; }

    /// <summary>Recall of medium objects, with 100 detections a class and image.</summary>
    public required double AverageRecallMedium { get; init; }

    /// <summary>Recall of large objects, with 100 detections a class and image.</summary>
    public required double AverageRecallLarge { get; init; }

    /// <summary>
    /// Precision at the recalls 0, .01, … 1, mean over the classes, for each of the IoU thresholds .50, .55, … .95: the mean
    /// of a curve's precisions is AP at its threshold. Empty without any object.
    /// </summary>
    public required IReadOnlyList<PrecisionRecallCurve> Curves { get; init; }

    /// <summary>The classes' own figures, in the order of the classes.</summary>
    public required IReadOnlyList<CocoClassMetrics> Classes { get; init; }
}

/// <summary>COCO's average precision of one class; NaN where the ground truth has no object of it.</summary>
/// <param name="Name">The class.</param>
/// <param name="AveragePrecision">Mean over the IoU thresholds .50 to .95.</param>
/// <param name="AveragePrecision50">At IoU .50.</param>
public sealed record CocoClassMetrics(string Name, double AveragePrecision, double AveragePrecision50)
{
    /// <summary>AP at IoU .75.</summary>
    public required double AveragePrecision75 { get; init; }

    /// <summary>AP of objects of at most 32×32 pixels of area.</summary>
    public required double AveragePrecisionSmall { get; init; }

    /// <summary>AP of objects of 32×32 to 96×96 pixels of area.</summary>
    public required double AveragePrecisionMedium { get; init; }

    /// <summary>AP of objects of at least 96×96 pixels of area.</summary>
    public required double AveragePrecisionLarge { get; init; }

    /// <summary>Recall with one detection an image, mean over the IoU thresholds .50 to .95.</summary>
    public required double AverageRecall1 { get; init; }

    /// <summary>Recall with 10 detections an image.</summary>
    public required double AverageRecall10 { get; init; }

    /// <summary>Recall with 100 detections an image.</summary>
    public required double AverageRecall100 { get; init; }

    /// <summary>Recall of small objects, with 100 detections an image.</summary>
    public required double AverageRecallSmall { get; init; }

    /// <summary>Recall of medium objects, with 100 detections an image.</summary>
    public required double AverageRecallMedium { get; init; }

    /// <summary>Recall of large objects, with 100 detections an image.</summary>
    public required double AverageRecallLarge { get; init; }

    /// <summary>Precision at the recalls 0, .01, … 1, for each of the IoU thresholds .50, .55, … .95; empty without any object.</summary>
    public required IReadOnlyList<PrecisionRecallCurve> Curves { get; init; }
}
