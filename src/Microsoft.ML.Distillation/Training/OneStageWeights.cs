namespace Microsoft.ML.Distillation.Training;

/// <summary>
/// The weights of all terms of a one-stage detector's loss: L = L_cls + L_box + γ L_hint with L_cls = μ L_hard + (1 − μ) L_soft and
/// L_box = 2 L_GIoU + ¼ L_DF + ν L_b: the weights of Generalized Focal Loss (Li et al. 2020) in the places of Chen et al. 2017. A term
/// of weight 0 is not computed.
/// </summary>
/// <param name="HardClass">μ, the quality focal loss with the ground truth.</param>
/// <param name="SoftClass">1 − μ, or the weight that the options give, the cross-entropy with the teacher.</param>
/// <param name="Box">The GIoU loss to the ground truth.</param>
/// <param name="Edges">The distribution focal loss to the ground truth.</param>
/// <param name="BoundedBox">ν, the teacher-bounded loss.</param>
/// <param name="SquaredBox">The squared loss to the ground truth.</param>
internal sealed record OneStageWeights(double HardClass, double SoftClass, double Box, double Edges, double BoundedBox, double SquaredBox)
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
    /// <param name="squaredRegression">The weight of the squared loss to the ground truth.</param>
    /// <param name="distillation">What is learned from a teacher; <see langword="null"/> where there is none.</param>
    public static OneStageWeights Of(double squaredRegression, DistillationOptions? distillation)
    {
        if (distillation is null) return new OneStageWeights(1, 0, BoxWeight, EdgesWeight, 0, squaredRegression);
        bool isSoft = distillation.RcnSoftTargets;
        double hard = isSoft ? distillation.HardWeight : 1, soft = isSoft ? distillation.SoftWeight ?? 1 - hard : 0;
        double bounded = distillation.RcnBoundedRegression ? distillation.BoundedRegressionWeight : 0;
        return new OneStageWeights(hard, soft, BoxWeight, EdgesWeight, bounded, squaredRegression)
        {
            Relations = distillation.DistWeight,
            Localization = distillation.LocalizationWeight,
            CrossHead = distillation.CrossHeadWeight,
        };
    }
}
