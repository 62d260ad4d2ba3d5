namespace Microsoft.ML.Distillation;

/// <summary>All that a detector predicts for one image, before suppression.</summary>
/// <param name="Boxes">4N values, x0 y0 x1 y1 of each prediction in pixels of the model's input.</param>
/// <param name="Probabilities">
/// N·C values, for each prediction the probability of each class, 0 to 1. What they leave to 1 is background.
/// </param>
public sealed record OnnxPredictions(float[] Boxes, float[] Probabilities);

/// <summary>Turns what a model says of one image into boxes and class probabilities.</summary>
/// <param name="outputs">The model's outputs by name.</param>
public delegate OnnxPredictions OnnxDecoder(IReadOnlyDictionary<string, OnnxOutput> outputs);

/// <summary>What turns a model's class outputs into probabilities.</summary>
public enum ScoreActivation
{
    /// <summary>
    /// As the format has it. Where exports differ (<see cref="OnnxDetectorFormat.Gfl"/>, <see cref="OnnxDetectorFormat.Ssd"/>) outputs that
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
