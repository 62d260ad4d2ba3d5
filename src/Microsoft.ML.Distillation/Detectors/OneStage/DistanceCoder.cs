using Microsoft.ML.Distillation.Detectors.Boxes;
using Microsoft.ML.Distillation.Tensors;
using TorchSharp;
using static TorchSharp.torch;

namespace Microsoft.ML.Distillation.Detectors;

// Of a location (x, y) of stride s, with logits l of m + 1 bins for each side:
//     d_side = Σ_k k · softmax(l_side)_k,     x0 = x − s d_left,   y0 = y − s d_top,   x1 = x + s d_right,   y1 = y + s d_bottom
//
// Li et al., Generalized Focal Loss (NeurIPS 2020), equation 5.

/// <summary>Distances from locations to the sides of boxes, as distributions and as numbers; the formula stands at the top of the file.</summary>
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

    /// <summary>The distances [R,4], in strides, from locations to the sides of boxes [R,4] in pixels; negative where a location lies outside.</summary>
    /// <param name="points">[R] int64, which locations.</param>
    public Tensor Encode(Tensor boxes, Tensor points)
    {
        using DisposeScope scope = NewDisposeScope();
        return ((boxes - PointsAt(points)) / StepsAt(points)).MoveToOuterDisposeScope();
    }
}
