namespace Microsoft.ML.Distillation;

/// <summary>What a report shows beside the model that it is about. All of it may be left out.</summary>
public sealed record DetectorReportOptions
{
    /// <summary>The heading.</summary>
    public string Title { get; init; } = "Object detector";

    /// <summary>
    /// Annotated images to measure the models on: the columns of images, labels (keys or text) and boxes, and, where the data have it,
    /// <c>ImagePath</c>, by which images are named, and from which they are read where there is no column of images.
    /// <see langword="null"/>: the report shows training alone.
    /// </summary>
    public IDataView? TestSet { get; init; }

    /// <summary>The teacher: a fitted model, or one that ML.NET has loaded.</summary>
    public ITransformer? Teacher { get; init; }

    /// <summary>The same student trained without the teacher.</summary>
    public ITransformer? Alone { get; init; }

    /// <summary>The student in low precision.</summary>
    public ITransformer? Quantised { get; init; }

    /// <summary>How many test images are shown: half of them the best gains, half the worst mistakes.</summary>
    public int Pictures { get; init; } = 8;

    /// <summary>Times that were measured on other devices, to stand beside that on this machine.</summary>
    public IReadOnlyList<DeviceTiming> Timings { get; init; } = [];

    /// <summary>What made the report, so that it can be made again: a command line, for example.</summary>
    public string? Command { get; init; }

    /// <summary>The column of images in <see cref="TestSet"/>.</summary>
    public string ImageColumnName { get; init; } = "Image";

    /// <summary>The column of the objects' classes: a vector of keys or of text.</summary>
    public string LabelColumnName { get; init; } = "Label";

    /// <summary>The column of the objects' boxes, x0 y0 x1 y1 of each in pixels.</summary>
    public string BoundingBoxColumnName { get; init; } = "BoundingBoxes";
}
