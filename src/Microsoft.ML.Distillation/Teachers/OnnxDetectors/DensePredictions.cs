namespace Microsoft.ML.Distillation.Teachers.OnnxDetectors;

/// <summary>What a detector predicts for one image, before suppression, in its own classes.</summary>
/// <param name="Boxes">4N shares of the image.</param>
/// <param name="Probabilities">N·C class probabilities.</param>
/// <param name="Confidences">N scores of each prediction's best class, by which predictions are ranked.</param>
internal sealed record DensePredictions(float[] Boxes, float[] Probabilities, float[] Confidences)
{
    /// <summary>The number of predictions.</summary>
    public int Count => Confidences.Length;

    /// <summary>The distributions of the boxes' sides; <see langword="null"/> where the detector has none.</summary>
    public EdgeBins? Edges { get; init; }
}
