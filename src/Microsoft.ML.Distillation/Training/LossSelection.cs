using Microsoft.ML.Distillation.Detectors;
using Microsoft.ML.Distillation.Teachers;

namespace Microsoft.ML.Distillation.Training;

/// <summary>What a student learns from its teacher, as it was asked for.</summary>
/// <param name="Losses">The losses; <see langword="null"/>: those of <see cref="Default"/>.</param>
internal sealed record LossSelection(IReadOnlyList<DistillationLoss>? Losses = null)
{
    /// <summary>Which maps teach which; <see langword="null"/>: chosen by size.</summary>
    public IReadOnlyList<HintPair>? Hints { get; init; }

    /// <summary>Whether the student is trained already when training begins.</summary>
    public bool StartsTrained { get; init; }

    /// <summary>Whether losses are named, but none that has a weight.</summary>
    public bool AreNone => Losses is not null && Losses.All(loss => loss.EffectiveWeight == 0);

    /// <summary>
    /// The losses where none are asked for: those of Chen et al. 2017 and CWD on the maps. Everything that depends on something else is
    /// here.
    /// </summary>
    /// <param name="isOneStage">Whether the student is a one-stage detector.</param>
    /// <param name="teacherHasMaps">Whether the teacher has feature maps.</param>
    /// <param name="startsTrained">Whether the student is trained already.</param>
    /// <param name="onMaps">The losses on maps, where they are chosen already.</param>
    public static IReadOnlyList<DistillationLoss> Default(
        bool isOneStage, bool teacherHasMaps, bool startsTrained, IReadOnlyList<FeatureMapLoss>? onMaps = null)
    {
        // A student that is trained already lost by CWD; a fresh one gains most from it.
        onMaps ??= !teacherHasMaps ? [] : startsTrained ? [new Hint()] : [new Hint(), new ChannelWise()];
        // What fades over the first half brings more than what stays; of two-stage students it was not measured.
        if (isOneStage && !startsTrained) onMaps = [.. onMaps.Select(loss => loss with { FadeFrom = 0, FadeUntil = 0.5 })];
        bool learnsByCwd = onMaps.Any(loss => loss is ChannelWise { EffectiveWeight: > 0 });
        // Beside CWD a one-stage student did better without the teacher's classes and boxes.
        return isOneStage && learnsByCwd ? onMaps : [new SoftClasses(), new BoundedBoxes(), .. onMaps];
    }

    /// <summary>
    /// μ where soft classes leave it open: ½ as in Chen et al., but the whole of a one-stage student's quality focal loss.
    /// </summary>
    public static double DefaultLabelWeight(bool isOneStage) => isOneStage ? 1 : 0.5;

    /// <summary>The losses of a student under a teacher, those of weight 0 left out.</summary>
    /// <exception cref="ArgumentException">
    /// A setting is out of its range, or a loss that is asked for does not fit the two; the message says why.
    /// </exception>
    public IReadOnlyList<DistillationLoss> For(Detector student, ITeacher teacher)
    {
        IReadOnlyList<DistillationLoss> losses =
            Losses ?? Default(student is OneStageDetector, teacher.Abilities.FeatureMaps.Count > 0, StartsTrained);
        foreach (DistillationLoss loss in losses) loss.Validate();
        if (losses.GroupBy(loss => loss.GetType()).FirstOrDefault(same => same.Count() > 1) is { } twice)
            throw new ArgumentException($"The option {nameof(DistillDetectorOptions.Losses)} names {twice.Key.Name} twice: leave one out.");
        foreach (DistillationLoss loss in losses.Where(loss => loss.EffectiveWeight > 0))
        {
            if (Misfit(loss, student, teacher) is { } why)
                throw new ArgumentException($"The loss {loss.GetType().Name} does not apply: {why}.");
        }

        return losses;
    }

    /// <summary>The losses by their names in the log, with their weights.</summary>
    public string Describe(IEnumerable<DistillationLoss> losses) => string.Join(", ", losses.Select(loss =>
        FormattableString.Invariant($"{loss.LogName} {loss.EffectiveWeight:0.####}"))) + (Losses is null ? " (by default)" : "");

    private static string? Misfit(DistillationLoss loss, Detector student, ITeacher teacher) => (loss, student) switch
    {
        ({ Needs: LossNeeds.Maps }, _) when student.FeatureMaps.Count == 0 =>
            "the student has no feature map that could learn from the teacher's",
        ({ Needs: LossNeeds.Maps }, _) when teacher.Abilities.FeatureMaps.Count == 0 =>
            $"the teacher has no feature maps. Of an ONNX teacher name tensors of its graph in "
            + $"{nameof(OnnxTeacherOptions)}.{nameof(OnnxTeacherOptions.Hints)} "
            + $"and leave out {nameof(OnnxTeacherOptions.CacheDirectory)}, which keeps none",
        ({ Needs: LossNeeds.BoxDistributions }, FasterRcnn) =>
            "it compares distributions of box sides, which a Faster R-CNN student does not have: use a one-stage student",
        ({ Needs: LossNeeds.BoxDistributions }, _) when !teacher.Abilities.HasBoxDistributions =>
            "it needs a teacher whose box sides are distributions: a one-stage detector of this library, or an ONNX detector of the "
            + "format Gfl",
        ({ Needs: LossNeeds.Head }, _) when student is FasterRcnn || teacher.Abilities.CrossHead is null =>
            "it runs the teacher's head on the student's maps, which needs a one-stage student and a one-stage teacher of this library",
        (BoundedBoxes { Kind: BoxDistillation.Squared }, OneStageDetector) =>
            $"{nameof(BoundedBoxes.Kind)} {nameof(BoxDistillation.Squared)} is for two-stage students; the boxes of one-stage students "
            + $"learn by GIoU, and so does their bound: use {nameof(BoxDistillation.Bounded)}",
        (_, OneStageDetector) when (loss.Parts & (LossParts.Locations | LossParts.Heads | LossParts.Maps)) == 0 =>
            $"its {nameof(SoftClasses.LearningParts)} are the RPN's alone, which a one-stage student does not have: leave it at "
            + $"{nameof(TwoStageParts.Both)}",
        _ => null,
    };
}
