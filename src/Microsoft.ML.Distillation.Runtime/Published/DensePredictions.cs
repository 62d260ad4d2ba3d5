using Microsoft.ML.Distillation.Rows;

namespace Microsoft.ML.Distillation.Published;

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

/// <summary>The distributions of the sides of N boxes over K bins each.</summary>
/// <param name="Bins">K.</param>
/// <param name="Probabilities">4KN values: of each box left, top, right, bottom.</param>
/// <param name="Places">4KN shares of the image: where the bins lie.</param>
internal sealed record EdgeBins(int Bins, float[] Probabilities, float[] Places)
{
    /// <summary>Those of a variation of the image: the bins lie where the image has gone, and in a mirror left is right.</summary>
    public EdgeBins Through(ImageGeometry geometry)
    {
        int step = 4 * Bins;
        var (probabilities, places) = (new float[Probabilities.Length], new float[Places.Length]);
        for (int at = 0; at < places.Length; at += step)
        {
            for (int side = 0; side < 4; side++)
            {
                int from = at + geometry.SideBefore(side) * Bins, to = at + side * Bins;
                Probabilities.AsSpan(from, Bins).CopyTo(probabilities.AsSpan(to));
                for (int k = 0; k < Bins; k++) places[to + k] = geometry.Through(Places[from + k], horizontal: side % 2 == 0);
            }
        }

        return new EdgeBins(Bins, probabilities, places);
    }

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
