namespace Microsoft.ML.Distillation.Teachers.OnnxDetectors;

/// <summary>What a teacher predicts for one image, before suppression, in the student's classes.</summary>
/// <param name="Boxes">4N shares of the image.</param>
/// <param name="Probabilities">N·(C+1), background first; each row sums to 1.</param>
/// <param name="Confidences">N scores of each prediction's best class.</param>
internal sealed record StudentPredictions(float[] Boxes, float[] Probabilities, float[] Confidences)
{
    /// <summary>The number of predictions.</summary>
    public int Count => Confidences.Length;

    /// <summary>The distributions of the boxes' sides; <see langword="null"/> where the detector has none.</summary>
    public EdgeBins? Edges { get; init; }

    /// <summary>The probabilities of a prediction, background first.</summary>
    public ReadOnlySpan<float> ProbabilitiesOf(int prediction)
    {
        int columns = Probabilities.Length / Count;
        return Probabilities.AsSpan(prediction * columns, columns);
    }

    /// <summary>The box of a prediction.</summary>
    public ReadOnlySpan<float> BoxOf(int prediction) => Boxes.AsSpan(4 * prediction, 4);
}
