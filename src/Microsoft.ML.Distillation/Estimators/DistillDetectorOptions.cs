using Microsoft.ML.Distillation.Detectors;
using Microsoft.ML.Distillation.Estimators;
using Microsoft.ML.Distillation.Training;

namespace Microsoft.ML.Distillation;

/// <summary>
/// The options of <see cref="DistillDetectorEstimator"/>. Only the teacher must be given; what is left out adapts to the data.
/// </summary>
public sealed record DistillDetectorOptions : DetectorEstimatorOptions
{
    /// <summary>The detector to learn from. It may have another backbone, input size and head than the student, and other
    /// classes.</summary>
    public required Teacher Teacher { get; init; }

    /// <summary>The network to train. The default is <see cref="DetectorPlan.For"/> of <see cref="LatencyClass.Balanced"/>.</summary>
    public DetectorPlan Student { get; init; } = DetectorPlan.For(LatencyClass.Balanced);

    /// <summary>
    /// What the student learns from the teacher, beside the labels, and how strongly: one value for each loss, in the order of the log.
    /// <see langword="null"/>: <see cref="DefaultLosses"/>.
    /// </summary>
    public IReadOnlyList<DistillationLoss>? Losses { get; init; }

    /// <summary>
    /// Which maps teach which, for the losses on maps. <see langword="null"/>: the student's last map (of a one-stage student each map of
    /// its neck), and among the teacher's the last of those nearest to it in size.
    /// </summary>
    public IReadOnlyList<HintPair>? Hints { get; init; }

    /// <summary>
    /// α: the weight of the teacher's own loss where it is trained together with the student (<see cref="ApprenticeScheme.A"/>), 0 or
    /// more.
    /// </summary>
    public double TeacherWeight { get; init; } = 1;

    /// <summary>
    /// How a student of low precision and its teacher are trained; goes with <see cref="DetectorEstimatorOptions.Precision"/>.
    /// <see langword="null"/>: C where there is an <see cref="DetectorEstimatorOptions.InitialStudent"/>, else B.
    /// </summary>
    public ApprenticeScheme? Scheme { get; init; }

    /// <summary>
    /// Images without labels, with the column of images of the training data. Before training the teacher labels them: its detections from
    /// a score on, as <see cref="GeneratedLabels"/> says, are the ground truth there, and its soft answers teach on them as on the others.
    /// How often they are drawn: see <see cref="DetectorEstimatorOptions.LabelledShare"/>.
    /// </summary>
    public IDataView? UnlabelledSet { get; init; }

    /// <summary>Which of the teacher's detections become labels of the <see cref="UnlabelledSet"/>.</summary>
    public GeneratedLabelOptions GeneratedLabels { get; init; } = new();

    /// <summary>
    /// Whether the training data have no labels: then only the column of images is read, and the student learns from the teacher alone.
    /// Its detections from <see cref="GeneratedLabelOptions.ScoreThreshold"/> on (or the score from which on it is confident) are the
    /// ground truth, beside its soft answers; images in which it is sure of nothing are not used.
    /// </summary>
    public bool WithoutLabels { get; init; }

    /// <summary>Without labels: the classes that the student is to know. <see langword="null"/>: all of the teacher's.</summary>
    public IReadOnlyList<string>? ClassNames { get; init; }

    /// <summary>
    /// The losses that the student learns by where <see cref="Losses"/> names none: <see cref="SoftClasses"/>, <see cref="BoundedBoxes"/>
    /// and <see cref="Hint"/> of Chen et al., Learning Efficient Object Detection Models with Knowledge Distillation (NIPS 2017), and
    /// <see cref="ChannelWise"/>. The last two need a teacher with maps, <see cref="ChannelWise"/> also a student that starts fresh; and
    /// beside it a one-stage student learns no classes and boxes from its teacher. Of a fresh one-stage student the losses on maps, also
    /// <paramref name="onMaps"/>, fade over the first half of the training (<see cref="FeatureMapLoss.FadeUntil"/>). What is left out did
    /// not help.
    /// </summary>
    /// <param name="onMaps">Losses on maps in the place of those; <see langword="null"/>: those.</param>
    public IReadOnlyList<DistillationLoss> DefaultLosses(IReadOnlyList<FeatureMapLoss>? onMaps = null)
        => LossSelection.Default(InitialStudent?.IsOneStage ?? Student is OneStagePlan, Teacher.HasFeatureMaps, InitialStudent is not null,
            onMaps);

    internal override TrainingSetup Setup => new(Student, new DistillationSetup(
        Teacher, new LossSelection(Losses) { Hints = Hints, StartsTrained = InitialStudent is not null },
        TeacherWeight, Jointly: Scheme == ApprenticeScheme.A), this);

    internal override void Validate()
    {
        base.Validate();
        ArgumentNullException.ThrowIfNull(Teacher, nameof(Teacher));
        ArgumentNullException.ThrowIfNull(Student, nameof(Student));
        if (Losses?.Any(loss => loss is null) == true)
            throw new ArgumentException($"The option {nameof(Losses)} has an empty place.", nameof(Losses));
        foreach (DistillationLoss loss in Losses ?? []) loss.Validate();
        Check(TeacherWeight is >= 0 and < double.PositiveInfinity, nameof(TeacherWeight), TeacherWeight, "0 or more");
        ArgumentNullException.ThrowIfNull(GeneratedLabels, nameof(GeneratedLabels));
        GeneratedLabels.Validate();
        if (WithoutLabels && (UnlabelledSet is not null || GeneratedSet is not null))
            throw new ArgumentException($"With {nameof(WithoutLabels)} all images go into the training data: {nameof(UnlabelledSet)} and "
                + $"{nameof(GeneratedSet)} are for sets beside labelled ones.", nameof(WithoutLabels));
        if (!WithoutLabels && ClassNames is not null)
            throw new ArgumentException($"The option {nameof(ClassNames)} is for {nameof(WithoutLabels)}; otherwise the classes are "
                + "those of the labels.", nameof(ClassNames));
        if (ClassNames is { } names)
        {
            if (names.Count == 0) throw new ArgumentException($"The option {nameof(ClassNames)} names no class.", nameof(ClassNames));
            if (names.GroupBy(name => name).FirstOrDefault(same => same.Count() > 1) is { } twice)
                throw new ArgumentException($"The option {nameof(ClassNames)} names '{twice.Key}' twice.", nameof(ClassNames));
        }

        if (UnlabelledSet is not null && GeneratedSet is not null)
            throw new ArgumentException($"Of the options {nameof(UnlabelledSet)} and {nameof(GeneratedSet)} only one can be given.",
                nameof(UnlabelledSet));
        if (Scheme is not { } scheme) return;
        if (!Enum.IsDefined(scheme))
            throw new ArgumentOutOfRangeException(nameof(Scheme), scheme, $"The option {nameof(Scheme)} must be one of its values.");
        if (Precision is null)
            throw new ArgumentException($"{nameof(Scheme)} {scheme} goes with {nameof(Precision)}: it trains students of low precision.");
        if (scheme == ApprenticeScheme.C && InitialStudent is null)
            throw new ArgumentException($"{nameof(Scheme)} C starts from a trained full-precision student: set {nameof(InitialStudent)}.");
        if (scheme != ApprenticeScheme.C && InitialStudent is not null)
            throw new ArgumentException($"{nameof(Scheme)} {scheme} trains the student from scratch: "
                + $"{nameof(InitialStudent)} goes with C.");
        if (scheme == ApprenticeScheme.A && !Teacher.CanLearn)
            throw new ArgumentException($"{nameof(Scheme)} A trains the teacher too: it must be a detector of this library "
                + "(Teacher.FromModel).");
        if (scheme == ApprenticeScheme.A && (WithoutLabels || UnlabelledSet is not null))
        {
            throw new ArgumentException(
                $"{nameof(Scheme)} A starts with a teacher that has learned nothing, so it cannot label the images of "
                + $"{(WithoutLabels ? nameof(WithoutLabels) : nameof(UnlabelledSet))} before training: label them with a trained "
                + $"detector ({nameof(DistillationCatalog.LabelWithTeacher)}) and give them as {nameof(GeneratedSet)}.");
        }
    }
}
