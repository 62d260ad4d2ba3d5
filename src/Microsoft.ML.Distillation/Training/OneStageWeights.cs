using Microsoft.ML.Distillation.Detectors;
using Microsoft.ML.Distillation.Images;
using Microsoft.ML.Distillation.Teachers;

namespace Microsoft.ML.Distillation.Training;

/// <summary>
/// The weights of all terms of a one-stage detector's loss: L = L_cls + L_box + γ L_hint with L_cls = L_hard + ½ L_soft, or μ L_hard + (1 − μ) L_soft
/// where μ is given, and L_box = 2 (L_GIoU + ν L_b) + ¼ L_DF: the weights of Generalized Focal Loss (Li et al. 2020) in the places of Chen et al. 2017.
/// A term of weight 0 is not computed.
/// </summary>
/// <param name="HardClass">The quality focal loss with the ground truth.</param>
/// <param name="SoftClass">The cross-entropy with the teacher.</param>
/// <param name="Box">The GIoU loss to the ground truth.</param>
/// <param name="Edges">The distribution focal loss to the ground truth.</param>
/// <param name="BoundedBox">The teacher-bounded loss.</param>
/// <param name="UnboundedBox">The same without a teacher, for all boxes.</param>
internal sealed record OneStageWeights(double HardClass, double SoftClass, double Box, double Edges, double BoundedBox, double UnboundedBox)
{
    /// <summary>DIST.</summary>
    public double Relations { get; init; }

    /// <summary>LD.</summary>
    public double Localization { get; init; }

    /// <summary>CrossKD.</summary>
    public double CrossHead { get; init; }

    private const double BoxWeight = 2;
    private const double EdgesWeight = 0.25;

    /// <summary>Whether any term needs the teacher's answers for boxes.</summary>
    public bool AsksTeacher => SoftClass > 0 || BoundedBox > 0 || Relations > 0 || Localization > 0;

    /// <summary>The weights that the options ask for. The switches of the RCN are those of the one stage; those of the RPN mean nothing here.</summary>
    /// <param name="unbounded">ν of the bounded loss without its teacher.</param>
    /// <param name="distillation">What is learned from a teacher; <see langword="null"/> where there is none.</param>
    /// <param name="learnsByCwd">Whether CWD is among it: then the teacher's classes and boxes are, by default, not.</param>
    public static OneStageWeights Of(double unbounded, DistillationOptions? distillation, bool learnsByCwd = false)
    {
        if (distillation is null) return new OneStageWeights(1, 0, BoxWeight, EdgesWeight, 0, BoxWeight * unbounded);
        double usualSoft = distillation.HardWeight is { } share ? 1 - share : learnsByCwd ? 0 : DistillationOptions.UsualSoftWeight;
        bool isSoft = distillation.RcnSoftTargets;
        double hard = isSoft ? distillation.HardWeight ?? 1 : 1, soft = isSoft ? distillation.SoftWeight ?? usualSoft : 0;
        double usualBounded = learnsByCwd ? 0 : DistillationOptions.UsualBoundedWeight;
        double bounded = distillation.RcnBoundedRegression ? distillation.BoundedRegressionWeight ?? usualBounded : 0;
        return new OneStageWeights(hard, soft, BoxWeight, EdgesWeight, BoxWeight * bounded, BoxWeight * unbounded)
        {
            Relations = distillation.DistWeight,
            Localization = distillation.LocalizationWeight,
            CrossHead = distillation.CrossHeadWeight,
        };
    }
}

/// <summary>Says where the losses of one-stage heads do not apply.</summary>
internal static class OneStageOnly
{
    /// <summary>For a two-stage student.</summary>
    /// <exception cref="ArgumentException">A loss of one-stage heads is asked for.</exception>
    public static void Refuse(DistillationOptions? options)
    {
        if (options?.LocalizationWeight > 0)
            throw Refusal(nameof(options.LocalizationWeight), "LD compares distributions of box sides, which a Faster R-CNN student does not have: use a one-stage student");
        if (options?.CrossHeadWeight > 0)
            throw Refusal(nameof(options.CrossHeadWeight), "CrossKD runs the teacher's head on the student's maps, which needs a one-stage student and a one-stage teacher");
    }

    /// <summary>For a one-stage student of some teacher.</summary>
    /// <exception cref="ArgumentException">A loss is asked for that does not fit the two.</exception>
    public static void Require(DistillationOptions options, OneStageDetector student, ITeacher teacher)
    {
        if (options.Boxes == BoxDistillation.Squared)
        {
            throw Refusal(nameof(options.Boxes),
                "a squared loss to the teacher's boxes is for two-stage students; the boxes of one-stage students learn by GIoU, and so does their bound: use Bounded");
        }

        if (options.LocalizationWeight > 0 && !teacher.HasEdges)
        {
            throw Refusal(nameof(options.LocalizationWeight),
                "LD needs a teacher whose box sides are distributions: a one-stage detector of this library, or an ONNX detector of the format Gfl");
        }

        if (options.CrossHeadWeight > 0 && Misfit(student, teacher.CrossHead) is { } misfit)
            throw Refusal(nameof(options.CrossHeadWeight), $"CrossKD runs the teacher's head on the student's maps, and {misfit}");
    }

    private static string? Misfit(OneStageDetector student, OneStageDetector? teacher)
    {
        if (teacher is null) return "the teacher is no one-stage detector of this library";
        (OneStageConfig own, OneStageConfig theirs) = (student.Config, teacher.Config);
        if (own.Channels != theirs.Channels) return $"the student's head has {own.Channels} channels, the teacher's {theirs.Channels}";
        if (own.Bins != theirs.Bins) return $"the student's sides have {own.Bins} bins, the teacher's {theirs.Bins}";
        if (!own.ClassNames.SequenceEqual(theirs.ClassNames))
            return $"the student's classes are {string.Join(", ", own.ClassNames)}, the teacher's {string.Join(", ", theirs.ClassNames)}";
        return Cells(student) == Cells(teacher) ? null : $"the student's maps are {Cells(student)} cells, the teacher's {Cells(teacher)}";
    }

    private static string Cells(OneStageDetector detector)
        => string.Join(", ", detector.Grid.Levels.Select(level => new ImageSize(level.Columns, level.Rows)));

    private static ArgumentException Refusal(string option, string why) => new($"The option {nameof(DistillationOptions)}.{option} does not apply: {why}.");
}
