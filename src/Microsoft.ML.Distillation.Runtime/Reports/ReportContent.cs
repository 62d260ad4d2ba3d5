using Microsoft.ML.Distillation.Images;

namespace Microsoft.ML.Distillation.Reports;

/// <summary>A box in pixels of its image.</summary>
/// <param name="Score">Its score, or null for an annotation.</param>
/// <param name="Ignored">Whether the annotation need not be found.</param>
internal readonly record struct ReportedBox(string Label, float X0, float Y0, float X1, float Y1, float? Score = null, bool Ignored = false)
{
    /// <summary>A detection.</summary>
    public static ReportedBox Of(Detection found) => new(found.Label, found.Box.X0, found.Box.Y0, found.Box.X1, found.Box.Y1, found.Score);
}

/// <summary>An image ready to be put into a page.</summary>
internal sealed record ReportThumbnail(string MediaType, byte[] Content);

/// <summary>A test image.</summary>
/// <param name="Load">Makes the picture; asked only where the image is shown.</param>
internal sealed record ReportedImage(string Name, ImageSize Size, IReadOnlyList<ReportedBox> Truth, Func<ReportThumbnail> Load);

/// <summary>A model and what is known of it. What is not known is left out of the report.</summary>
internal sealed record ReportedModel(string Name, DetectorRole Role)
{
    /// <summary>Its figures on the test images; with several seeds their means.</summary>
    public DetectionMetrics? Metrics { get; init; }

    /// <summary>The number of learnt parameters.</summary>
    public long? Parameters { get; init; }

    /// <summary>The size of its file.</summary>
    public long? Bytes { get; init; }

    /// <summary>The median time for an image, from its pixels to its boxes.</summary>
    public double? Milliseconds { get; init; }

    /// <summary>How it was trained.</summary>
    public TrainingRecord? Training { get; init; }

    /// <summary>Its figures with several seeds, where it was trained more than once.</summary>
    public IReadOnlyList<SeedFigures> Seeds { get; init; } = [];

    /// <summary>What it found in each test image, best first.</summary>
    public IReadOnlyList<IReadOnlyList<ReportedBox>> Found { get; init; } = [];

    /// <summary>AP: over the seeds, else of the one run.</summary>
    public double AveragePrecision => Seeds.Count > 0 ? Seeds.Average(seed => seed.AveragePrecision) : Metrics?.AveragePrecision
        ?? double.NaN;

    /// <summary>AP50 likewise.</summary>
    public double AveragePrecision50 => Seeds.Count > 0 ? Seeds.Average(seed => seed.AveragePrecision50) : Metrics?.AveragePrecision50
        ?? double.NaN;

    /// <summary>AP75 likewise.</summary>
    public double AveragePrecision75 => Seeds.Count > 0 ? Seeds.Average(seed => seed.AveragePrecision75) : Metrics?.AveragePrecision75
        ?? double.NaN;

    /// <summary>What to say where one run stands for several: pictures, confusions, training.</summary>
    public string OfFirstSeed => Seeds.Count > 1 ? $" (seed {Seeds[0].Seed})" : "";

    /// <summary>The class that colours it.</summary>
    public string Color => $"m-{Role.ToString().ToLowerInvariant()}";
}

/// <summary>Everything that a report says.</summary>
/// <param name="Title">What it is about.</param>
/// <param name="Models">The models, in the order in which they are shown.</param>
internal sealed record ReportContent(string Title, IReadOnlyList<ReportedModel> Models)
{
    /// <summary>When it was made.</summary>
    public required DateTimeOffset Made { get; init; }

    /// <summary>The test images.</summary>
    public IReadOnlyList<ReportedImage> Images { get; init; } = [];

    /// <summary>The command that made it, so that it can be made again.</summary>
    public string? Command { get; init; }

    /// <summary>Times that were measured on other devices.</summary>
    public IReadOnlyList<DeviceTiming> Timings { get; init; } = [];

    /// <summary>How many images are shown.</summary>
    public int Pictures { get; init; } = 8;

    /// <summary>The model that the report is about: the distilled student, or the only one.</summary>
    public ReportedModel Main => Find(DetectorRole.Distilled) ?? Find(DetectorRole.Model) ?? Models[^1];

    /// <summary>The first model of a role.</summary>
    public ReportedModel? Find(DetectorRole role) => Models.FirstOrDefault(model => model.Role == role);
}
