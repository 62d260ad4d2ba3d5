namespace Microsoft.ML.Distillation;

/// <summary>The options of <see cref="LabelWithTeacherEstimator"/>.</summary>
public sealed record LabelWithTeacherOptions
{
    /// <summary>The detector that labels.</summary>
    public required Teacher Teacher { get; init; }

    /// <summary>
    /// Annotated images, prepared as for training. They give the classes, and how many objects an image has in the mean: so many the
    /// generated labels have too.
    /// </summary>
    public required IDataView LabelledSet { get; init; }

    /// <summary>How the detector looks at an image.</summary>
    public EnsembleOptions Ensemble { get; init; } = new();

    /// <summary>Which of its detections become labels.</summary>
    public GeneratedLabelOptions Labels { get; init; } = new();

    /// <summary>In: the image.</summary>
    public string ImageColumnName { get; init; } = "Image";

    /// <summary>Out: the classes of the image's objects, a vector of keys; in the labelled set, in.</summary>
    public string LabelColumnName { get; init; } = "Label";

    /// <summary>Out: their boxes, a vector of x0 y0 x1 y1 in pixels; in the labelled set, in.</summary>
    public string BoundingBoxColumnName { get; init; } = "BoundingBoxes";

    /// <summary>Out: how sure the detector is of each, 0 to 1.</summary>
    public string LabelScoreColumnName { get; init; } = "LabelScore";

    /// <summary>The CUDA device that runs the detector. <see langword="null"/>: that of the <c>MLContext</c>, or the CPU.</summary>
    public int? GpuDeviceId { get; init; }

    /// <summary>Checks the options.</summary>
    /// <exception cref="ArgumentException">An option is missing or out of its range; the message names it.</exception>
    internal void Validate()
    {
        ArgumentNullException.ThrowIfNull(Teacher, nameof(Teacher));
        ArgumentNullException.ThrowIfNull(LabelledSet, nameof(LabelledSet));
        ArgumentNullException.ThrowIfNull(Ensemble, nameof(Ensemble));
        ArgumentNullException.ThrowIfNull(Labels, nameof(Labels));
        Ensemble.Validate();
        Labels.Validate();
    }
}
