using System.CommandLine;
using Microsoft.ML.Distillation.Tool.Commands;
using Microsoft.ML.Distillation.Tool.Display;

namespace Microsoft.ML.Distillation.Tool.Models;

/// <summary>What a model file can do and what it costs.</summary>
/// <param name="Name">What to call it.</param>
/// <param name="Measured">Its figures on annotated images.</param>
internal sealed record ModelReport(string Name, DetectorMeasurement Measured)
{
    /// <summary>Its figures on annotated images.</summary>
    public DetectionMetrics Metrics => Measured.Metrics;

    /// <summary>The number of learnt parameters; <see langword="null"/> for a published detector.</summary>
    public long? Parameters => Measured.Parameters;

    /// <summary>The size of the file.</summary>
    public long Bytes => Measured.Bytes;

    /// <summary>The median time for an image on this machine's CPU, from its pixels to its boxes.</summary>
    public double Milliseconds => Measured.Milliseconds;

    /// <summary>Measures a model file on annotated images.</summary>
    /// <param name="options">How it is run, and a published detector read.</param>
    /// <param name="notes">Receives how far it is.</param>
    public static ModelReport Measure(
        string name, string path, IReadOnlyList<AnnotatedRow> images, ObjectDetectorOptions? options = null, TextWriter? notes = null,
        CancellationToken cancellation = default)
    {
        using var detector = ObjectDetector.Load(path, options ?? new ObjectDetectorOptions());
        var context = new MLContext();
        IEnumerable<AnnotatedRow> rows = WorkProgress.Over(
            images, images.Count, $"measure {name}", "images", notes ?? TextWriter.Null);
        return new ModelReport(name, context
            .MeasureDetector(detector, context.Data.LoadFromEnumerable(rows), cancellationToken: cancellation));
    }

    /// <summary>Measures a model file as a command line asks for it.</summary>
    public static ModelReport Measure(
        ParseResult parsed, string name, string path, IReadOnlyList<AnnotatedRow> images, ObjectDetectorOptions? options = null,
        CancellationToken cancellation = default)
        => Measure(
            name, path, images, options ?? new ObjectDetectorOptions { MaxPixels = SharedOptions.MaxPixelsIn(parsed) },
            SharedOptions.NotesTo(parsed, parsed.InvocationConfiguration.Error), cancellation);

    /// <summary>What a report can say of a model without test images.</summary>
    public static ReportedDetector Unmeasured(string name, string path, DetectorRole role)
    {
        using var detector = ObjectDetector.Load(path);
        return new ReportedDetector(name, role, detector);
    }

    /// <summary>The model as a report takes it.</summary>
    public ReportedDetector For(DetectorRole role) => new(Name, role, Measured);
}
