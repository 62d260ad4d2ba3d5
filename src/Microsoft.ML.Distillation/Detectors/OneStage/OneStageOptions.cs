namespace Microsoft.ML.Distillation;

/// <summary>How the maps of a one-stage detector's backbone are brought together.</summary>
public enum OneStageNeck
{
    /// <summary>From the coarsest to the finest (Lin et al., Feature Pyramid Networks, CVPR 2017).</summary>
    Fpn,

    /// <summary>The same, and back from the finest to the coarsest (Liu et al., Path Aggregation Network, CVPR 2018).</summary>
    Pan,
}

/// <summary>Which locations of a one-stage detector learn an object.</summary>
public enum OneStageAssignment
{
    /// <summary>
    /// Those inside the object that predict it best by now, by class score and overlap together (Feng et al., TOOD, ICCV 2021).
    /// </summary>
    TaskAligned,

    /// <summary>Those near the object's centre that suit its size, whatever they predict (Zhang et al., ATSS, CVPR 2020).</summary>
    Atss,
}

/// <summary>
/// The settings of a one-stage detector of the GFL family (Li et al., Generalized Focal Loss, NeurIPS 2020). Whatever is
/// <see langword="null"/> is chosen from the input size, the backbone and the training boxes when training starts.
/// </summary>
public sealed record OneStageOptions
{
    /// <summary>How the backbone's maps are brought together.</summary>
    public OneStageNeck Neck { get; init; } = OneStageNeck.Pan;

    /// <summary>The channels of neck and head, at least 1; 96 for larger students.</summary>
    public int Channels { get; init; } = 48;

    /// <summary>
    /// Whether the 3×3 convolutions of neck and head are depthwise with a 1×1 convolution behind them: an eighth of the arithmetic.
    /// </summary>
    public bool Separable { get; init; } = true;

    /// <summary>The number of 3×3 layers in the head, from 1 to 4. All maps share them; each map has normalisations of its own.</summary>
    public int HeadLayers { get; init; } = 2;

    /// <summary>
    /// m + 1, the number of bins of each side's distance, from 2 to 33: a side is at most m strides away from the location that
    /// predicts it.
    /// </summary>
    public int Bins { get; init; } = 8;

    /// <summary>
    /// Pixels of the input for one cell of each map that predicts, finest first: each twice the one before, from 4, 8 or 16 on.
    /// <see langword="null"/>: from 8, or from 4 for inputs up to 192 pixels, where the backbone has it, up to the backbone's deepest map
    /// and, if
    /// that is more, to where m strides reach across nine of ten boxes.
    /// </summary>
    public IReadOnlyList<int>? Strides { get; init; }

    /// <summary>Which locations learn an object.</summary>
    public OneStageAssignment Assignment { get; init; } = OneStageAssignment.TaskAligned;

    /// <summary>Detections with a lower score are dropped.</summary>
    public float ScoreThreshold { get; init; } = 0.05f;

    /// <summary>The most overlap (intersection over union) of two detections of one class.</summary>
    public float NmsThreshold { get; init; } = 0.6f;

    /// <summary>The most detections in an image.</summary>
    public int MaxDetections { get; init; } = 100;

    /// <summary>Throws an <see cref="ArgumentException"/> that names the first setting that cannot be.</summary>
    internal void Validate()
    {
        Require(Enum.IsDefined(Neck), nameof(Neck), Neck, "one of its values");
        Require(Enum.IsDefined(Assignment), nameof(Assignment), Assignment, "one of its values");
        Require(Channels >= 1, nameof(Channels), Channels, "at least 1");
        Require(HeadLayers is >= 1 and <= 4, nameof(HeadLayers), HeadLayers, "from 1 to 4");
        Require(Bins is >= 2 and <= 33, nameof(Bins), Bins, "from 2 to 33");
        Require(Strides is null || AreDoubling(Strides), nameof(Strides), $"[{string.Join(", ", Strides ?? [])}]",
            "a list from 4, 8 or 16 on, each twice the one before, up to 128");
        Require(ScoreThreshold is >= 0 and <= 1, nameof(ScoreThreshold), ScoreThreshold, "from 0 to 1");
        Require(NmsThreshold is >= 0 and <= 1, nameof(NmsThreshold), NmsThreshold, "from 0 to 1");
        Require(MaxDetections >= 1, nameof(MaxDetections), MaxDetections, "at least 1");
    }

    private static bool AreDoubling(IReadOnlyList<int> strides)
        => strides.Count > 0 && strides[0] is 4 or 8 or 16 && strides[^1] <= 128
            && strides.Skip(1).Zip(strides).All(pair => pair.First == 2 * pair.Second);

    private static void Require(bool valid, string option, object? value, string rule)
    {
        if (!valid) throw new ArgumentException(FormattableString
            .Invariant($"{nameof(OneStageOptions)}.{option} is {rule}, not {value ?? "nothing"}."));
    }
}
