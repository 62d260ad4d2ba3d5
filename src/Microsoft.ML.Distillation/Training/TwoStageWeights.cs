namespace Microsoft.ML.Distillation.Training;

/// <summary>
/// The weights of all terms of a two-stage detector's loss:
/// L = L_RPN + L_RCN + γ L_hint, in each part L_cls = μ L_hard + (1 − μ) L_soft and L_reg = L_1 + ν L_b
/// (Chen et al. 2017, equations 1 to 6). A term of weight 0 is not computed.
/// </summary>
internal sealed record TwoStageWeights(PartWeights Rpn, PartWeights Rcn, double Hint)
{
    /// <summary>The weights that the options ask for.</summary>
    /// <param name="squaredRegression">The weight of the squared loss to the ground truth.</param>
    /// <param name="distillation">What is learned from a teacher; <see langword="null"/> where there is none.</param>
    public static TwoStageWeights Of(double squaredRegression, DistillationOptions? distillation)
    {
        if (distillation is null)
        {
            var alone = new PartWeights(HardClass: 1, SoftClass: 0, Box: 1, BoundedBox: 0, squaredRegression);
            return new TwoStageWeights(alone, alone, Hint: 0);
        }

        return new TwoStageWeights(
            Part(distillation.RpnSoftTargets, distillation.RpnBoundedRegression),
            Part(distillation.RcnSoftTargets, distillation.RcnBoundedRegression),
            distillation.Hint ? distillation.HintWeight : 0);

        PartWeights Part(bool soft, bool bounded)
        {
            double hard = soft ? distillation.HardWeight ?? DistillationOptions.UsualHardWeight : 1;
            return new PartWeights(
                hard, soft ? distillation.SoftWeight ?? 1 - hard : 0, Box: 1,
                bounded ? distillation.BoundedRegressionWeight ?? DistillationOptions.UsualBoundedWeight : 0, squaredRegression);
        }
    }
}

/// <summary>The weights of the terms of the RPN or of the RCN.</summary>
/// <param name="HardClass">μ, the cross-entropy with the ground truth.</param>
/// <param name="SoftClass">1 − μ, the cross-entropy with the teacher.</param>
/// <param name="Box">The smooth L1 loss to the ground truth.</param>
/// <param name="BoundedBox">ν, the teacher-bounded loss.</param>
/// <param name="SquaredBox">The squared loss to the ground truth.</param>
internal sealed record PartWeights(double HardClass, double SoftClass, double Box, double BoundedBox, double SquaredBox)
{
    /// <summary>Whether any term needs the teacher.</summary>
    public bool AsksTeacher => SoftClass > 0 || BoundedBox > 0;
}
