using Microsoft.ML.Distillation.Onnx;
using TorchSharp;
using static TorchSharp.torch;

namespace Microsoft.ML.Distillation.Detectors.Boxes;

/// <summary>
/// RoI pooling (Girshick, "Fast R-CNN", 2015): the region's corners are rounded to whole cells, both included, and cut into
/// size × size bins that may share cells; a bin is the largest value in it, and 0 where it lies outside of the map.
/// </summary>
/// <param name="Size">The bins on each side.</param>
internal sealed record RoiMaxPool(int Size) : IRoiPooling
{
    /// <inheritdoc/>
    public Tensor Pool(Tensor map, IReadOnlyList<Tensor> boxes, float scale)
    {
        using DisposeScope scope = NewDisposeScope();
        (int height, int width) = ((int)map.shape[2], (int)map.shape[3]);
        var pooled = new List<Tensor>();
        for (int n = 0; n < boxes.Count; n++)
        {
            if (boxes[n].shape[0] == 0) continue;
            float[] rows = TensorArrays.Floats(boxes[n]);

            // A corner on the image's border rounds to the cell behind the last one. One more row and column make that cell,
            // and mark it, so that the native pooling's bins (⌊i·n/S⌋ to ⌈(i+1)·n/S⌉) are those of the definition.
            Tensor framed = nn.functional.pad(map.narrow(0, n, 1), [0, 1, 0, 1], value: double.NegativeInfinity);
            for (int i = 0; i < rows.Length; i += 4)
            {
                (int left, int columns) = Cells(rows[i], rows[i + 2], scale, width);
                (int top, int lines) = Cells(rows[i + 1], rows[i + 3], scale, height);
                pooled.Add(nn.functional.adaptive_max_pool2d(framed.narrow(2, top, lines).narrow(3, left, columns), [Size, Size]));
            }
        }

        if (pooled.Count == 0) return map.new_zeros([0, map.shape[1], Size, Size]).MoveToOuterDisposeScope();
        Tensor all = cat([.. pooled]);
        return where(all.isneginf(), all.new_zeros([1]), all).MoveToOuterDisposeScope();
    }

    /// <inheritdoc/>
    public string Write(GraphBuilder graph, string map, string boxes, float scale)
    {
        string image = graph.Add("Mul", [graph.Add("Slice", [boxes, graph.Integers(0), graph.Integers(1), graph.Integers(1)]), graph.Scalar(0f)]);
        string regions = graph.Add("Concat", [image, boxes], ("axis", 1));
        return graph.Add("MaxRoiPool", [map, regions], ("pooled_shape", new[] { Size, Size }), ("spatial_scale", scale));
    }

    /// <summary>The first cell of a region on one axis, and how many there are; at most one lies behind the map.</summary>
    private static (int First, int Count) Cells(float low, float high, float scale, int cells)
    {
        int first = Math.Clamp(Round(low * scale), 0, cells);
        int last = Math.Clamp(Round(high * scale), first, cells);
        return (first, last - first + 1);
    }

    private static int Round(float value) => (int)MathF.Round(value, MidpointRounding.AwayFromZero);
}
