using Microsoft.ML.Distillation.Data;

namespace Microsoft.ML.Distillation.Detectors;

/// <summary>The locations of one map.</summary>
/// <param name="Start">Where they start in the row of all locations.</param>
internal sealed record PointLevel(int Stride, int Columns, int Rows, int Start)
{
    /// <summary>The number of locations.</summary>
    public int Count => Columns * Rows;
}

/// <summary>
/// The locations at which a one-stage detector predicts, in pixels of the input: the centre of each cell, (j + ½) s and (i + ½) s in
/// column j and row i of the map of stride s, row by row, those of the finest map first.
/// </summary>
internal sealed class PointGrid
{
    public PointGrid(ImageSize input, IReadOnlyList<int> strides)
    {
        var levels = new List<PointLevel>();
        foreach (int stride in strides)
        {
            // Every halving rounds up, as padded convolutions of stride 2 do.
            levels.Add(new PointLevel(stride, (input.Width + stride - 1) / stride, (input.Height + stride - 1) / stride, Count));
            Count += levels[^1].Count;
        }

        Levels = levels;
        (X, Y, Strides) = (new float[Count], new float[Count], new float[Count]);
        foreach (PointLevel level in levels)
        {
            for (int i = 0; i < level.Count; i++)
            {
                X[level.Start + i] = (i % level.Columns + 0.5f) * level.Stride;
                Y[level.Start + i] = (i / level.Columns + 0.5f) * level.Stride;
                Strides[level.Start + i] = level.Stride;
            }
        }
    }

    /// <summary>The maps, finest first.</summary>
    public IReadOnlyList<PointLevel> Levels { get; }

    /// <summary>P, the number of locations.</summary>
    public int Count { get; }

    public float[] X { get; }

    public float[] Y { get; }

    /// <summary>Of each location its map's stride.</summary>
    public float[] Strides { get; }

    /// <summary>P rows x y x y.</summary>
    public float[] Corners() => [.. Enumerable.Range(0, Count).SelectMany(i => (float[])[X[i], Y[i], X[i], Y[i]])];

    /// <summary>P rows −s −s s s: from a location, distances times these lead to the corners of a box.</summary>
    public float[] Steps() => [.. Strides.SelectMany(s => (float[])[-s, -s, s, s])];

    /// <summary>Whether a location lies inside a box (four values, in pixels).</summary>
    public bool IsInside(int point, ReadOnlySpan<float> box)
        => X[point] > box[0] && X[point] < box[2] && Y[point] > box[1] && Y[point] < box[3];

    /// <summary>The squared distance of a location from a box's centre.</summary>
    public float SquaredDistance(int point, ReadOnlySpan<float> box)
    {
        float dx = X[point] - (box[0] + box[2]) / 2, dy = Y[point] - (box[1] + box[3]) / 2;
        return dx * dx + dy * dy;
    }
}
