namespace Microsoft.ML.Distillation;

/// <summary>
/// The settings of a Faster R-CNN (Ren et al. 2015). Whatever is <see langword="null"/> is chosen from the input size, the
/// backbone and the training boxes when training starts; the summary of each setting says how.
/// </summary>
public sealed record FasterRcnnOptions
{
    /// <summary>
    /// The sizes of anchors (square root of their area) in pixels of the input. With a feature pyramid the list is cut into
    /// equal parts, one for each of its maps, finest first. <see langword="null"/>: three for a single map, three for each map of a
    /// pyramid, by k-means on the training boxes.
    /// </summary>
    public IReadOnlyList<float>? AnchorSizes { get; init; }

    /// <summary>
    /// The shapes of anchors, height over width. <see langword="null"/>: 1 where the training boxes are nearly square (median
    /// side ratio below 1.5), otherwise ½, 1 and 2.
    /// </summary>
    public IReadOnlyList<float>? AnchorRatios { get; init; }

    /// <summary>The channels of the RPN's 3×3 convolution. <see langword="null"/>: those of the map it looks at, at most 256.</summary>
    public int? RpnChannels { get; init; }

    /// <summary>
    /// The anchors of an image that the RPN's loss looks at. <see langword="null"/>: 128 for inputs up to 256 pixels, otherwise 256.
    /// </summary>
    public int? RpnBatchSize { get; init; }

    /// <summary>
    /// The proposals of an image in training. <see langword="null"/>: 150 for inputs up to 256 pixels, 300 up to 512, otherwise 1000.
    /// </summary>
    public int? TrainingProposals { get; init; }

    /// <summary>
    /// The proposals of an image in use. <see langword="null"/>: 150 for inputs up to 256 pixels, 300 up to 512, otherwise 1000.
    /// </summary>
    public int? Proposals { get; init; }

    /// <summary>
    /// The proposals of an image and map before suppression of overlaps. <see langword="null"/>: four for each that may remain.
    /// </summary>
    public int? ProposalsBeforeNms { get; init; }

    /// <summary>The most overlap (intersection over union) of two proposals.</summary>
    public float RpnNmsThreshold { get; init; } = 0.7f;

    /// <summary>
    /// The proposals of an image that the head's loss looks at. <see langword="null"/>: 64 for inputs up to 256 pixels, 128 up to 512,
    /// otherwise 256.
    /// </summary>
    public int? RoiBatchSize { get; init; }

    /// <summary>The most of them, as a share, that are objects.</summary>
    public float RoiPositiveShare { get; init; } = 0.5f;

    /// <summary>
    /// The cells on each side that a proposal is cut into. <see langword="null"/>: 6 for AlexNet and VGG-M, 7 for VGG16, for other
    /// backbones 5 for inputs up to 320 pixels, otherwise 7.
    /// </summary>
    public int? RoiSize { get; init; }

    /// <summary>How a proposal becomes these cells.</summary>
    public RoiPoolingKind RoiPooling { get; init; } = RoiPoolingKind.Align;

    /// <summary>
    /// The width of the head's fully connected layers. <see langword="null"/>: half the channels of the map it looks at, from 64
    /// to 512, so that a compact backbone gets a compact head; 4096 for AlexNet and the VGGs.
    /// </summary>
    public int? HeadWidth { get; init; }

    /// <summary>The width of the second layer, where there are two. <see langword="null"/>: that of the first; 1024 for VGG-M.</summary>
    public int? SecondHeadWidth { get; init; }

    /// <summary>
    /// The number of the head's fully connected layers before the predictors: 1 or 2. <see langword="null"/>: 1; 2 (fc6 and fc7)
    /// for AlexNet and the VGGs.
    /// </summary>
    public int? HeadLayers { get; init; }

    /// <summary>
    /// The share of the values of these layers that is dropped in training. <see langword="null"/>: ½ for AlexNet and the VGGs, none
    /// for others.
    /// </summary>
    public float? HeadDropout { get; init; }

    /// <summary>Whether one box regressor serves all classes.</summary>
    public bool ClassAgnosticBoxes { get; init; } = true;

    /// <summary>Detections below this score are dropped.</summary>
    public float ScoreThreshold { get; init; } = 0.01f;

    /// <summary>The most overlap (intersection over union) of two detections of the same class.</summary>
    public float NmsThreshold { get; init; } = 0.5f;

    /// <summary>The most detections of an image.</summary>
    public int MaxDetections { get; init; } = 100;

    /// <summary>Throws an <see cref="ArgumentException"/> that names the first setting that cannot be.</summary>
    internal void Validate()
    {
        RequireLengths(AnchorSizes, nameof(AnchorSizes));
        RequireLengths(AnchorRatios, nameof(AnchorRatios));
        RequireCount(RpnChannels, nameof(RpnChannels));
        RequireCount(RpnBatchSize, nameof(RpnBatchSize));
        RequireCount(TrainingProposals, nameof(TrainingProposals));
        RequireCount(Proposals, nameof(Proposals));
        RequireCount(ProposalsBeforeNms, nameof(ProposalsBeforeNms));
        RequireCount(RoiBatchSize, nameof(RoiBatchSize));
        RequireCount(RoiSize, nameof(RoiSize));
        RequireCount(HeadWidth, nameof(HeadWidth));
        RequireCount(MaxDetections, nameof(MaxDetections));
        RequireCount(SecondHeadWidth, nameof(SecondHeadWidth));
        Require(HeadLayers is null or 1 or 2, nameof(HeadLayers), HeadLayers, "1 or 2");
        Require(HeadDropout is null or (>= 0 and < 1), nameof(HeadDropout), HeadDropout, "at least 0 and less than 1");
        Require(Enum.IsDefined(RoiPooling), nameof(RoiPooling), RoiPooling, "one of its values");
        RequireShare(RpnNmsThreshold, nameof(RpnNmsThreshold));
        RequireShare(NmsThreshold, nameof(NmsThreshold));
        RequireShare(ScoreThreshold, nameof(ScoreThreshold));
        RequireShare(RoiPositiveShare, nameof(RoiPositiveShare));
    }

    private static void RequireCount(int? value, string option) => Require(value is null or >= 1, option, value, "at least 1");

    private static void RequireShare(float value, string option) => Require(value is >= 0 and <= 1, option, value, "from 0 to 1");

    private static void RequireLengths(IReadOnlyList<float>? values, string option)
    {
        if (values is null) return;
        bool valid = values.Count > 0 && values.All(v => float.IsFinite(v) && v > 0);
        Require(valid, option, $"[{string.Join(", ", values)}]", "one or more positive numbers");
    }

    private static void Require(bool valid, string option, object? value, string rule)
    {
        if (!valid) throw new ArgumentException(FormattableString
            .Invariant($"{nameof(FasterRcnnOptions)}.{option} is {rule}, not {value}."));
    }
}

/// <summary>How a region of a feature map becomes a fixed number of cells.</summary>
public enum RoiPoolingKind
{
    /// <summary>RoIAlign (He et al. 2017): each cell is the mean of four bilinear samples.</summary>
    Align,

    /// <summary>
    /// RoI pooling (Girshick 2015): the region is rounded to whole cells of the map, and each cell is the largest value in its part.
    /// </summary>
    Max,
}
