using Microsoft.ML.Distillation.Model;
using Microsoft.ML.Distillation.Onnx;
using Microsoft.ML.Distillation.Reports;

namespace Microsoft.ML.Distillation.Tool.Models;

/// <summary>What a model file can do and what it costs.</summary>
/// <param name="Name">What to call it.</param>
/// <param name="Metrics">Its figures on annotated images.</param>
/// <param name="Parameters">The number of learnt parameters.</param>
/// <param name="Bytes">The size of the file.</param>
/// <param name="Milliseconds">The median time for an image on this machine's CPU, from its pixels to its boxes.</param>
internal sealed record ModelReport(string Name, DetectionMetrics Metrics, long Parameters, long Bytes, double Milliseconds)
{
    private const int WarmUp = 3;

    /// <summary>What it found in each image.</summary>
    public IReadOnlyList<DetectedImage> Found { get; init; } = [];

    /// <summary>How it was trained, where its file tells.</summary>
    public TrainingRecord? Training { get; init; }

    /// <summary>Measures a model file on annotated images.</summary>
    public static ModelReport Measure(string name, string path, IReadOnlyList<AnnotatedRow> images, CancellationToken cancellation = default)
    {
        OnnxModelFile model = FittedDetectors.In(path);
        using var detector = new OnnxDetector(model, path);
        var tally = new DetectionTally();
        var times = new List<double>();
        var all = new List<DetectedImage>();
        int index = 0;
        foreach (DetectedImage found in detector.Detect(images.Select(image => image.ImagePath)))
        {
            cancellation.ThrowIfCancellationRequested();
            if (index >= WarmUp || images.Count <= WarmUp) times.Add(detector.LastTime.TotalMilliseconds);
            tally.Add(images[index++], found);
            all.Add(found);
        }

        times.Sort();
        return new ModelReport(name, tally.Measure(), ModelReporter.CountParameters(model), new FileInfo(path).Length, times[times.Count / 2])
        {
            Found = all,
            Training = TrainingRecord.In(model.Metadata),
        };
    }

    /// <summary>What a report can say of a model without test images.</summary>
    public static ReportedModel Unmeasured(string name, string path, ModelRole role)
        => ModelReporter.Known(name, role, FittedDetectors.In(path), new FileInfo(path).Length);

    /// <summary>The model as a report takes it.</summary>
    public ReportedModel For(ModelRole role) => new(Name, role)
    {
        Metrics = Metrics,
        Parameters = Parameters,
        Bytes = Bytes,
        Milliseconds = Milliseconds,
        Training = Training,
        Found = [.. Found.Select(ReportImages.Of)],
    };
}
