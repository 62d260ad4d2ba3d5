namespace Microsoft.ML.Distillation.Data;

/// <summary>What <see cref="DataViewIngest"/> reads, and how it treats what it finds.</summary>
internal sealed record DataViewIngestOptions
{
    /// <summary>How many bytes of decoded pixels are kept in memory by default.</summary>
    public const long DefaultCacheBytes = 1L << 30;

    /// <summary>The column with the images.</summary>
    public string ImageColumnName { get; init; } = "Image";

    /// <summary>The column with the classes of each image's objects: a vector of keys.</summary>
    public string LabelColumnName { get; init; } = "Label";

    /// <summary>The column with the objects' boxes: x0 y0 x1 y1 of each in pixels of the loaded image.</summary>
    public string BoundingBoxColumnName { get; init; } = "BoundingBoxes";

    /// <summary>A text column that messages name images by, where the data has one.</summary>
    public string ImagePathColumnName { get; init; } = "ImagePath";

    /// <summary>
    /// Columns of Boolean vectors, where the data has them, that mark objects to be left out of training: groups of objects, and
    /// regions that belong to no class.
    /// </summary>
    public IReadOnlyList<string> LeftOutColumnNames { get; init; } = [nameof(DetectionRow.Crowd), nameof(DetectionRow.Ignore)];

    /// <summary>
    /// The classes that labels are mapped onto by name; null takes those of the label column. For a validation set, whose
    /// keys may be numbered otherwise than the training set's.
    /// </summary>
    public IReadOnlyList<string>? ClassNames { get; init; }

    /// <summary>What happens to samples that cannot be used.</summary>
    public InvalidSampleHandling OnInvalidSample { get; init; } = InvalidSampleHandling.Error;

    /// <summary>How many bytes of decoded pixels are kept in memory; the rest goes to a temporary file.</summary>
    public long CacheBytes { get; init; } = DefaultCacheBytes;

    /// <summary>Where that temporary file lies; null is the system's folder for temporary files.</summary>
    public string? TemporaryFolder { get; init; }

    /// <summary>Receives one line about what was left out, if anything was.</summary>
    public Action<string>? Warn { get; init; }
}
