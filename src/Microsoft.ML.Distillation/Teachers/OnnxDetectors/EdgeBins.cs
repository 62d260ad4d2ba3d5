namespace Microsoft.ML.Distillation.Teachers.OnnxDetectors;

/// <summary>The distributions of the sides of N boxes over K bins each.</summary>
/// <param name="Bins">K.</param>
/// <param name="Probabilities">4KN values: of each box left, top, right, bottom.</param>
/// <param name="Places">4KN shares of the image: where the bins lie.</param>
internal sealed record EdgeBins(int Bins, float[] Probabilities, float[] Places)
{
    /// <summary>Those of some of the boxes.</summary>
    public EdgeBins Of(IReadOnlyList<int> boxes)
    {
        int step = 4 * Bins;
        var (probabilities, places) = (new float[step * boxes.Count], new float[step * boxes.Count]);
        for (int i = 0; i < boxes.Count; i++)
        {
            Probabilities.AsSpan(step * boxes[i], step).CopyTo(probabilities.AsSpan(step * i));
            Places.AsSpan(step * boxes[i], step).CopyTo(places.AsSpan(step * i));
        }

        return new EdgeBins(Bins, probabilities, places);
    }
}
