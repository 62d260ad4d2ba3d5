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
    /// <param name="maxPixels">How many pixels an image may have.</param>
    /// <param name="options">How a published detector is read; with these <paramref name="maxPixels"/> does not count.</param>
    public static ModelReport Measure(string name, string path, IReadOnlyList<AnnotatedRow> images,
        long maxPixels = ImageLoader.DefaultMaxPixels,
        ObjectDetectorOptions? options = null, CancellationToken cancellation = default)
    {
        using var detector = ObjectDetector.Load(path, options ?? new ObjectDetectorOptions { MaxPixels = maxPixels });
        var context = new MLContext();
        return new ModelReport(name, context
            .MeasureDetector(detector, context.Data.LoadFromEnumerable(images), cancellationToken: cancellation));
    }

    /// <summary>What a report can say of a model without test images.</summary>
    public static ReportedDetector Unmeasured(string name, string path, DetectorRole role)
    {
        using var detector = ObjectDetector.Load(path);
        return new ReportedDetector(name, role, detector);
    }

    /// <summary>The model as a report takes it.</summary>
    public ReportedDetector For(DetectorRole role) => new(Name, role, Measured);
}
