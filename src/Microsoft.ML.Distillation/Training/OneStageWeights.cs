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
