namespace Microsoft.ML.Distillation;

/// <summary>PASCAL VOC's average precision.</summary>
/// <param name="MeanAveragePrecision">The mean over the classes that have objects, 0 to 1; NaN where none has.</param>
/// <param name="Classes">The classes' own figures, in the order of the classes.</param>
public sealed record VocMetrics(double MeanAveragePrecision, IReadOnlyList<VocClassMetrics> Classes);

/// <summary>PASCAL VOC's average precision of one class.</summary>
/// <param name="Name">The class.</param>
/// <param name="AveragePrecision">0 to 1; NaN where the ground truth has no object of the class.</param>
public sealed record VocClassMetrics(string Name, double AveragePrecision)
{
    /// <summary>A point for each right detection, best score first; empty without any object.</summary>
    public required PrecisionRecallCurve Curve { get; init; }
}
