using Microsoft.ML.Distillation.Reports;

namespace Microsoft.ML.Distillation;

/// <summary>What a detector can do and what it costs: <c>mlContext.MeasureDetector</c> measures it on annotated images.</summary>
/// <param name="Metrics">Its figures.</param>
/// <param name="Milliseconds">The median time for an image on this machine, from its pixels to its boxes, without reading files.</param>
/// <param name="Found">What it found in each image, in the order of the rows, best first.</param>
public sealed record DetectorMeasurement(DetectionMetrics Metrics, double Milliseconds, IReadOnlyList<IReadOnlyList<Detection>> Found)
{
    /// <summary>The number of learnt parameters; <see langword="null"/> for a published detector.</summary>
    public long? Parameters { get; init; }

    /// <summary>The size of its file in bytes.</summary>
    public long Bytes { get; init; }

    /// <summary>How it was trained, where its file tells.</summary>
    internal TrainingRecord? Training { get; init; }
}

/// <summary>What a detector is to the others in a report.</summary>
public enum DetectorRole
{
    /// <summary>A model that is shown for itself.</summary>
    Model,

    /// <summary>The teacher.</summary>
    Teacher,

    /// <summary>The student, trained without the teacher.</summary>
    Alone,

    /// <summary>The student with something in the teacher's place.</summary>
    Control,

    /// <summary>The student, trained under the teacher.</summary>
    Distilled,

    /// <summary>The distilled student in low precision.</summary>
    Quantised,
}

/// <summary>COCO's average precisions, 0 to 1, of a model in a run with one seed.</summary>
/// <param name="Seed">The seed.</param>
/// <param name="AveragePrecision">AP, the mean over IoU thresholds from 0.5 to 0.95.</param>
/// <param name="AveragePrecision50">AP at an IoU of 0.5.</param>
/// <param name="AveragePrecision75">AP at an IoU of 0.75.</param>
public sealed record SeedFigures(int Seed, double AveragePrecision, double AveragePrecision50, double AveragePrecision75);

/// <summary>A detector in a report, and what is known of it.</summary>
public sealed record ReportedDetector
{
    /// <summary>A detector that was measured on the report's test images.</summary>
    /// <param name="name">What to call it.</param>
    /// <param name="role">What it is to the others.</param>
    /// <param name="measured">Its figures.</param>
    public ReportedDetector(string name, DetectorRole role, DetectorMeasurement measured)
    {
        ArgumentNullException.ThrowIfNull(measured);
        Model = new ReportedModel(name, role)
        {
            Metrics = measured.Metrics,
            Parameters = measured.Parameters,
            Bytes = measured.Bytes,
            Milliseconds = measured.Milliseconds,
            Training = measured.Training,
            Found = [.. measured.Found.Select(found => (IReadOnlyList<ReportedBox>)[.. found.Select(ReportedBox.Of)])],
        };
    }

    /// <summary>A detector that was not measured: the report shows its size, and its training where its file tells.</summary>
    /// <param name="name">What to call it.</param>
    /// <param name="role">What it is to the others.</param>
    /// <param name="unmeasured">The detector; it is only read here.</param>
    public ReportedDetector(string name, DetectorRole role, ObjectDetector unmeasured)
    {
        ArgumentNullException.ThrowIfNull(unmeasured);
        Model = new ReportedModel(name, role)
        {
            Parameters = unmeasured.Parameters,
            Bytes = unmeasured.Bytes,
            Training = TrainingRecord.In(unmeasured.Metadata),
        };
    }

    /// <summary>What to call it.</summary>
    public string Name => Model.Name;

    /// <summary>What it is to the others.</summary>
    public DetectorRole Role => Model.Role;

    /// <summary>
    /// Its figures with several seeds, where it was trained more than once: then the measurement's figures are the runs' means, and its
    /// detections the first run's.
    /// </summary>
    public IReadOnlyList<SeedFigures> Seeds { get; init; } = [];

    /// <summary>The form in which the report's sections take it.</summary>
    internal ReportedModel Model { get; }
}
