using Microsoft.ML.Distillation.Detectors.Boxes;
using Microsoft.ML.Distillation.Images;
using Microsoft.ML.Distillation.Tensors;
using TorchSharp;
using static TorchSharp.torch;

namespace Microsoft.ML.Distillation.Detectors;

// Of a location (x, y) of stride s, with logits l of m + 1 bins for each side:
//     d_side = Σ_k k · softmax(l_side)_k,     x0 = x − s d_left,   y0 = y − s d_top,   x1 = x + s d_right,   y1 = y + s d_bottom
//
// Li et al., Generalized Focal Loss (NeurIPS 2020), equation 5.

/// <summary>
/// Distances from locations to the sides of boxes, as distributions and as numbers; the formula stands at the top of the file.
/// </summary>
internal sealed class DistanceCoder : nn.Module
{
    private readonly Constant _points;
    private readonly Constant _steps;
    private readonly Constant _values;

    public DistanceCoder(PointGrid grid, int bins)
        : base(nameof(DistanceCoder))
    {
        Bins = bins;
        _points = new Constant(TensorArrays.Boxes(grid.Corners(), CPU));
        _steps = new Constant(TensorArrays.Boxes(grid.Steps(), CPU));
        _values = new Constant(tensor([.. Enumerable.Range(0, bins).Select(k => (float)k)]));
        RegisterComponents();
    }

    /// <summary>m + 1.</summary>
    public int Bins { get; }

    /// <summary>Locations [R,4]: x y x y, in pixels.</summary>
    /// <param name="points">[R] int64, which.</param>
    public Tensor PointsAt(Tensor points) => _points.On(points.device).index_select(0, points);

    /// <summary>The strides of locations [R,4]: −s −s s s.</summary>
    /// <param name="points">[R] int64, which.</param>
    public Tensor StepsAt(Tensor points) => _steps.On(points.device).index_select(0, points);

    /// <summary>The distances [...,4], in strides, whose distributions have the logits [...,4,m+1].</summary>
    public Tensor Distances(Tensor edges)
    {
        using DisposeScope scope = NewDisposeScope();
        return edges.softmax(-1).mul(_values.On(edges.device)).sum(dim: -1).MoveToOuterDisposeScope();
    }

    /// <summary>The boxes [N,P,4] in pixels of the logits [N,P,4,m+1] at all locations.</summary>
    public Tensor Decode(Tensor edges)
    {
        using DisposeScope scope = NewDisposeScope();
        return Distances(edges).mul(_steps.On(edges.device)).Plus(_points.On(edges.device)).MoveToOuterDisposeScope();
    }

    /// <summary>
    /// The distances [R,4], in strides, from locations to the sides of boxes [R,4] in pixels; negative where a location lies outside.
    /// </summary>
    /// <param name="points">[R] int64, which locations.</param>
    public Tensor Encode(Tensor boxes, Tensor points)
    {
        using DisposeScope scope = NewDisposeScope();
        return ((boxes - PointsAt(points)) / StepsAt(points)).MoveToOuterDisposeScope();
    }
}

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
