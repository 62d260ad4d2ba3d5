namespace Microsoft.ML.Distillation;

/// <summary>
/// COCO's twelve figures for boxes, each from 0 to 1, equal to those of the reference implementation (COCOeval).
/// A figure is <see cref="double.NaN"/> where there is nothing to measure: no object, or none of that size.
/// </summary>
public abstract record CocoFigures
{
    private readonly double[] _figures;

    private protected CocoFigures(IReadOnlyList<double> figures)
        => _figures = figures.Count == Names.Count
            ? [.. figures]
            : throw new ArgumentException($"COCO has {Names.Count} figures, not {figures.Count}.", nameof(figures));

    /// <summary>
    /// The names that COCO gives the figures, in its order: AP, AP50, AP75, APs, APm, APl, AR1, AR10, AR100, ARs, ARm, ARl.
    /// </summary>
    public static IReadOnlyList<string> Names { get; } =
        ["AP", "AP50", "AP75", "APs", "APm", "APl", "AR1", "AR10", "AR100", "ARs", "ARm", "ARl"];

    /// <summary>The figures in the order of <see cref="Names"/>.</summary>
    public IReadOnlyList<double> Figures => _figures;

    /// <summary>AP: mean over the IoU thresholds .50 to .95.</summary>
    public double AveragePrecision => _figures[0];

    /// <summary>AP at IoU .50.</summary>
    public double AveragePrecision50 => _figures[1];

    /// <summary>AP at IoU .75.</summary>
    public double AveragePrecision75 => _figures[2];

    /// <summary>AP of objects of at most 32×32 pixels of area.</summary>
    public double AveragePrecisionSmall => _figures[3];

    /// <summary>AP of objects of 32×32 to 96×96 pixels of area.</summary>
    public double AveragePrecisionMedium => _figures[4];

    /// <summary>AP of objects of at least 96×96 pixels of area.</summary>
    public double AveragePrecisionLarge => _figures[5];

    /// <summary>Recall with one detection of a class in an image, mean over the IoU thresholds .50 to .95.</summary>
    public double AverageRecall1 => _figures[6];

    /// <summary>Recall with 10 detections of a class in an image.</summary>
    public double AverageRecall10 => _figures[7];

    /// <summary>Recall with 100 detections of a class in an image.</summary>
    public double AverageRecall100 => _figures[8];

    /// <summary>Recall of small objects, with 100 detections of a class in an image.</summary>
    public double AverageRecallSmall => _figures[9];

    /// <summary>Recall of medium objects, with 100 detections of a class in an image.</summary>
    public double AverageRecallMedium => _figures[10];

    /// <summary>Recall of large objects, with 100 detections of a class in an image.</summary>
    public double AverageRecallLarge => _figures[11];

    /// <summary>
    /// Precision at the recalls 0, .01, … 1, for each of the IoU thresholds .50, .55, … .95: the mean of a curve's precisions is AP at
    /// its threshold. Empty without any object.
    /// </summary>
    public required IReadOnlyList<PrecisionRecallCurve> Curves { get; init; }
}

/// <summary>COCO's figures over all classes: means of those that have any object.</summary>
public sealed record CocoMetrics : CocoFigures
{
    /// <summary>Takes the figures.</summary>
    /// <param name="figures">The twelve figures, in the order of <see cref="CocoFigures.Names"/>.</param>
    public CocoMetrics(IReadOnlyList<double> figures) : base(figures)
    {
    }

    /// <summary>The classes' own figures, in the order of the classes.</summary>
    public required IReadOnlyList<CocoClassMetrics> Classes { get; init; }
}

/// <summary>COCO's figures of one class; NaN where the ground truth has no object of it.</summary>
public sealed record CocoClassMetrics : CocoFigures
{
    /// <summary>Takes the figures.</summary>
    /// <param name="name">The class.</param>
    /// <param name="figures">The twelve figures, in the order of <see cref="CocoFigures.Names"/>.</param>
    public CocoClassMetrics(string name, IReadOnlyList<double> figures) : base(figures) => Name = name;

    /// <summary>The class.</summary>
    public string Name { get; }
}
