namespace Microsoft.ML.Distillation;

/// <summary>What turns a model's class outputs into probabilities.</summary>
public enum ScoreActivation
{
    /// <summary>
    /// As the format has it. Where exports differ (<see cref="TeacherFormat.Gfl"/>, <see cref="TeacherFormat.Ssd"/>) outputs that
    /// all lie between 0 and 1 are taken for probabilities, others for logits.
    /// </summary>
    Auto,

    /// <summary>Nothing: they are probabilities.</summary>
    None,

    /// <summary>A sigmoid each.</summary>
    Sigmoid,

    /// <summary>A softmax over each prediction's classes, with background or "no object" where the format has it.</summary>
    Softmax,
}
