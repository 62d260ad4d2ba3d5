namespace Microsoft.ML.Distillation;

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
