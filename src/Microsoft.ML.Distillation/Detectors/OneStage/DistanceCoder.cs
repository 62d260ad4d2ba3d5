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
    public DistanceCoder(PointGrid grid, int bins)
        : base(nameof(DistanceCoder))
    {
        Bins = bins;
        register_buffer("points", TensorArrays.Boxes(grid.Corners(), CPU), persistent: false);
        register_buffer("steps", TensorArrays.Boxes(grid.Steps(), CPU), persistent: false);
        register_buffer("values", tensor([.. Enumerable.Range(0, bins).Select(k => (float)k)]), persistent: false);
    }

    /// <summary>m + 1.</summary>
    public int Bins { get; }

    /// <summary>[P,4]: x y x y, in pixels.</summary>
    public Tensor Points => get_buffer("points")!;

    /// <summary>[P,4]: −s −s s s.</summary>
    public Tensor Steps => get_buffer("steps")!;

    /// <summary>[m+1]: 0 … m.</summary>
    public Tensor Values => get_buffer("values")!;

    /// <summary>The distances [...,4], in strides, whose distributions have the logits [...,4,m+1].</summary>
    public Tensor Distances(Tensor edges)
    {
        using DisposeScope scope = NewDisposeScope();
        return edges.softmax(-1).mul(Values).sum(dim: -1).MoveToOuterDisposeScope();
    }

    /// <summary>The boxes [N,P,4] in pixels of the logits [N,P,4,m+1] at all locations.</summary>
    public Tensor Decode(Tensor edges)
    {
        using DisposeScope scope = NewDisposeScope();
        return Distances(edges).mul(Steps).Plus(Points).MoveToOuterDisposeScope();
    }

    /// <summary>The distances [R,4], in strides, from locations to the sides of boxes [R,4] in pixels; negative where a location lies outside.</summary>
    /// <param name="points">[R] int64, which locations.</param>
    public Tensor Encode(Tensor boxes, Tensor points)
    {
        using DisposeScope scope = NewDisposeScope();
        return ((boxes - Points.index_select(0, points)) / Steps.index_select(0, points)).MoveToOuterDisposeScope();
    }
}
