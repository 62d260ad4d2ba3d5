namespace Microsoft.ML.Distillation;

/// <summary>A pair of feature maps: the student's learns to resemble the teacher's.</summary>
/// <param name="Student">The name of the student's guided map.</param>
/// <param name="Teacher">The name of the teacher's map, the hint.</param>
public sealed record HintPair(string Student, string Teacher);

/// <summary>
/// What a student learns from its teacher, and how strongly, beside the ground truth. The defaults are those of Chen et al.,
/// Learning Efficient Object Detection Models with Knowledge Distillation (NIPS 2017), and CWD on the maps (<see cref="CwdWeight"/>), which
/// is of a later paper. RPN is the region proposal network, RCN the classifier of regions.
/// </summary>
public sealed record DistillationOptions
{
    /// <summary>
    /// μ: the weight of the ground truth in the classification loss, from 0 to 1; the teacher's soft targets have 1 − μ. <see langword="null"/>:
    /// ½ as in Chen et al.; for one-stage students 1, as half of the quality focal loss is too little against what their boxes learn.
    /// </summary>
    public double? HardWeight { get; init; }

    /// <summary>
    /// The weight of the teacher's soft targets, Apprentice's γ where <see cref="HardWeight"/> is its β. <see langword="null"/>: 1 − μ, or ½ where that is
    /// not given either; but a one-stage student that learns by CWD then has none, as it did better without (docs/one-stage.md).
    /// </summary>
    public double? SoftWeight { get; init; }

    /// <summary>α: the weight of the teacher's own loss where it is trained together with the student (Apprentice's scheme A).</summary>
    public double TeacherWeight { get; init; } = 1;

    /// <summary>w_0: the weight of the background class in the soft targets' loss; every object class has 1. One-stage students have no such class.</summary>
    public double BackgroundWeight { get; init; } = 1.5;

    /// <summary>The temperature of the soft targets; 1 leaves them as they are.</summary>
    public double Temperature { get; init; } = 1;

    /// <summary>How the teacher's boxes enter the loss; <see cref="BoundedRegressionWeight"/> and the two switches are of either way.</summary>
    public BoxDistillation Boxes { get; init; } = BoxDistillation.Bounded;

    /// <summary>
    /// ν: the weight of the teacher-bounded regression loss. A one-stage student's is on 1 − GIoU, like its own box loss, and has that loss's factor 2.
    /// <see langword="null"/>: ½; for a one-stage student that learns by CWD 0, as it did better without.
    /// </summary>
    public double? BoundedRegressionWeight { get; init; }

    /// <summary>m: by how much the student's squared error (a one-stage student's 1 − GIoU) must beat the teacher's to be left in peace.</summary>
    public double Margin { get; init; }

    /// <summary>γ: the weight of the hint loss, which is normalised so that γ means the same at any size of map.</summary>
    public double HintWeight { get; init; } = 0.5;

    /// <summary>What stands between the student's map and the hint.</summary>
    public HintAdaptation HintAdaptation { get; init; } = HintAdaptation.Learnt;

    /// <summary>How the student's distance from the hint is measured.</summary>
    public HintNorm HintNorm { get; init; } = HintNorm.L2;

    /// <summary>Whether the RPN learns from the teacher's objectness of the student's sampled anchors.</summary>
    public bool RpnSoftTargets { get; init; } = true;

    /// <summary>Whether the RCN learns from the teacher's class probabilities of the student's sampled proposals.</summary>
    public bool RcnSoftTargets { get; init; } = true;

    /// <summary>Whether the RPN's box regression is bounded by the teacher's.</summary>
    public bool RpnBoundedRegression { get; init; } = true;

    /// <summary>Whether the RCN's box regression is bounded by the teacher's.</summary>
    public bool RcnBoundedRegression { get; init; } = true;

    /// <summary>Whether the student's feature map learns from the teacher's.</summary>
    public bool Hint { get; init; } = true;

    /// <summary>
    /// Which maps teach which. <see langword="null"/>: the student's last map, and among the teacher's the last of those nearest to it in size.
    /// </summary>
    public IReadOnlyList<HintPair>? Hints { get; init; }

    /// <summary>
    /// The weight of PKD (Cao et al. 2022) on the maps of <see cref="Hints"/>: the correlation of their channels. 0: none; 6 is usual for
    /// two-stage students, 10 for one-stage ones. Like the other losses on maps it may stand beside the hint or in its place.
    /// </summary>
    public double PkdWeight { get; init; }

    /// <summary>
    /// The weight of CWD (Shu et al. 2021) on the maps of <see cref="Hints"/>: where each channel looks. 0: none, as in Chen et al.
    /// <see langword="null"/>: 10, its authors' weight, where the teacher has maps and the student starts fresh; its term is then most of the
    /// total, and of all that was measured helps small students most (docs/results.md). A student that is trained already
    /// (<see cref="DetectorEstimatorOptions.InitialStudent"/>) goes without, as it lost by it (docs/low-precision.md).
    /// </summary>
    public double? CwdWeight { get; init; }

    /// <summary>CWD's temperature τ.</summary>
    public double CwdTemperature { get; init; } = 1;

    /// <summary>
    /// The weight of MGD (Yang et al. 2022) on the maps of <see cref="Hints"/>: the teacher's map from a masked one, in the same unit as
    /// the hint. 0: none.
    /// </summary>
    public double MgdWeight { get; init; }

    /// <summary>MGD's λ: the share of its map's positions that the student loses.</summary>
    public double MgdMaskedShare { get; init; } = 0.65;

    /// <summary>The weight of DIST (Huang et al. 2022): the relations between class probabilities, of the boxes that soft targets look at. 0: none.</summary>
    public double DistWeight { get; init; }

    /// <summary>
    /// The weight of LD (Zheng et al. 2022): the teacher's distributions of box sides, for one-stage students of a one-stage teacher or of
    /// an ONNX teacher of the format <see cref="OnnxDetectorFormat.Gfl"/>. 0: none; 0.25 is usual.
    /// </summary>
    public double LocalizationWeight { get; init; }

    /// <summary>LD's temperature T.</summary>
    public double LocalizationTemperature { get; init; } = 10;

    /// <summary>
    /// The weight of CrossKD (Wang et al. 2024): the teacher's head on the student's maps, for one-stage students of a one-stage teacher
    /// with the same classes, grid, channels and bins. 0: none; 1 is usual.
    /// </summary>
    public double CrossHeadWeight { get; init; }

    /// <summary>μ and ν of Chen et al.</summary>
    internal const double UsualHardWeight = 0.5, UsualBoundedWeight = 0.5;

    /// <summary>The weight of the soft targets beside half of the ground truth.</summary>
    internal const double UsualSoftWeight = 1 - UsualHardWeight;

    /// <summary>Checks the options.</summary>
    /// <exception cref="ArgumentOutOfRangeException">An option is out of its range; the message names it.</exception>
    internal void Validate()
    {
        Check(HardWeight is null or >= 0 and <= 1, nameof(HardWeight), HardWeight ?? 0, "from 0 to 1");
        Check(SoftWeight is null or >= 0 and < double.PositiveInfinity, nameof(SoftWeight), SoftWeight ?? 0, "0 or more");
        Check(TeacherWeight is >= 0 and < double.PositiveInfinity, nameof(TeacherWeight), TeacherWeight, "0 or more");
        Check(BackgroundWeight is >= 0 and < double.PositiveInfinity, nameof(BackgroundWeight), BackgroundWeight, "0 or more");
        Check(Temperature is > 0 and < double.PositiveInfinity, nameof(Temperature), Temperature, "above 0");
        CheckWeight(BoundedRegressionWeight ?? 0, nameof(BoundedRegressionWeight));
        CheckEnum(Boxes, nameof(Boxes));
        CheckEnum(HintAdaptation, nameof(HintAdaptation));
        CheckEnum(HintNorm, nameof(HintNorm));
        Check(double.IsFinite(Margin), nameof(Margin), Margin, "a finite number");
        Check(HintWeight is >= 0 and < double.PositiveInfinity, nameof(HintWeight), HintWeight, "0 or more");
        CheckWeight(PkdWeight, nameof(PkdWeight));
        CheckWeight(CwdWeight ?? 0, nameof(CwdWeight));
        CheckWeight(MgdWeight, nameof(MgdWeight));
        CheckWeight(DistWeight, nameof(DistWeight));
        CheckWeight(LocalizationWeight, nameof(LocalizationWeight));
        CheckWeight(CrossHeadWeight, nameof(CrossHeadWeight));
        Check(CwdTemperature is > 0 and < double.PositiveInfinity, nameof(CwdTemperature), CwdTemperature, "above 0");
        Check(LocalizationTemperature is > 0 and < double.PositiveInfinity, nameof(LocalizationTemperature), LocalizationTemperature, "above 0");
        Check(MgdMaskedShare is >= 0 and < 1, nameof(MgdMaskedShare), MgdMaskedShare, "at least 0 and below 1");
    }

    private static void CheckEnum<T>(T value, string option) where T : struct, Enum
    {
        if (!Enum.IsDefined(value)) throw new ArgumentOutOfRangeException(option, value, $"The option {option} must be one of {string.Join(", ", Enum.GetNames<T>())}.");
    }

    private static void CheckWeight(double weight, string option) => Check(weight is >= 0 and < double.PositiveInfinity, option, weight, "0 or more");

    private static void Check(bool valid, string option, double value, string range)
    {
        if (!valid) throw new ArgumentOutOfRangeException(option, value, $"The option {option} must be {range}.");
    }
}

/// <summary>What stands between the student's guided map and the teacher's hint.</summary>
public enum HintAdaptation
{
    /// <summary>A 1×1 convolution that is learnt beside the student and dropped after training, also where the channels agree.</summary>
    Learnt,

    /// <summary>
    /// Nothing: the maps are compared as they are. Where their channels do not agree, neighbouring channels of the wider one are
    /// averaged in equal groups, which is fixed and not learnt.
    /// </summary>
    None,
}

/// <summary>How the distance between the student's map and the hint is measured.</summary>
public enum HintNorm
{
    /// <summary>The mean squared difference.</summary>
    L2,

    /// <summary>The mean absolute difference.</summary>
    L1,
}

/// <summary>How the teacher's boxes enter the loss.</summary>
public enum BoxDistillation
{
    /// <summary>As a bound: the ground truth is the target of boxes that are worse than the teacher's (Chen et al. 2017, equation 4).</summary>
    Bounded,

    /// <summary>As the target of a squared loss, whether they are good or not: what the paper compares its bound with. For two-stage students.</summary>
    Squared,
}
