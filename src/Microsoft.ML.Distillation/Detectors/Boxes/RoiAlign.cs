using Microsoft.ML.Distillation.Onnx;
using Microsoft.ML.Distillation.Onnx.Proto;
using TorchSharp;
using static TorchSharp.torch;

namespace Microsoft.ML.Distillation.Detectors.Boxes;

/// <summary>
/// RoIAlign (He et al., "Mask R-CNN", 2017): each region is cut into size × size bins, and a bin is the mean of 2 × 2
/// bilinear samples of the map. Bilinear interpolation on a regular grid separates, so the whole is two matrix products:
/// weights of rows × map × weights of columns.
/// </summary>
/// <param name="Size">The bins on each side.</param>
/// <param name="Aligned">Whether pixel centres lie at half-integers (torchvision's <c>aligned</c>).</param>
internal sealed record RoiAlign(int Size, bool Aligned) : IRoiPooling
{
    /// <summary>The samples of a bin on each axis.</summary>
    private const int Samples = 2;

    /// <inheritdoc/>
    public Tensor Pool(Tensor map, IReadOnlyList<Tensor> boxes, float scale)
    {
        using DisposeScope scope = NewDisposeScope();
        (long channels, long height, long width) = (map.shape[1], map.shape[2], map.shape[3]);
        float[][] corners = [.. boxes.Select(TensorArrays.Floats)];
        Tensor rows = Weights(corners, 1, scale, (int)height, map.device);
        Tensor columns = Weights(corners, 0, scale, (int)width, map.device).transpose(1, 2);

        // [h, N, C, w]: the maps with rows first, so that one image's product needs no copy of its own.
        Tensor byRow = map.permute(2, 0, 1, 3).contiguous();
        var pooled = new List<Tensor>(boxes.Count);
        long start = 0;
        for (int n = 0; n < boxes.Count; n++)
        {
            long count = boxes[n].shape[0];
            if (count == 0) continue;
            Tensor left = rows.narrow(0, start, count).reshape(count * Size, height);
            Tensor right = columns.narrow(0, start, count);
            Tensor half = left.mm(byRow.select(1, n).reshape(height, channels * width)).view(count, Size * channels, width);
            pooled.Add(half.bmm(right).view(count, Size, channels, Size));
            start += count;
        }

        Tensor result = pooled.Count == 0
            ? map.new_zeros([0, channels, Size, Size])
            : cat([.. pooled]).transpose(1, 2).contiguous();
        return result.MoveToOuterDisposeScope();
    }

    /// <inheritdoc/>
    public string Write(GraphBuilder graph, string map, string boxes, float scale)
    {
        string image = graph.Zeros(TensorProto.Types.DataType.Int64, sizeof(long), graph.Add("Shape", [boxes], ("start", 0), ("end", 1)));
        return graph.Add(
            "RoiAlign",
            [map, boxes, image],
            ("coordinate_transformation_mode", Aligned ? "half_pixel" : "output_half_pixel"),
            ("mode", "avg"),
            ("output_height", Size),
            ("output_width", Size),
            ("sampling_ratio", Samples),
            ("spatial_scale", scale));
    }

    /// <summary>
    /// How much each cell of an axis has in each bin: [R,Size,cells]. Made by a plain loop over the few cells that a sample touches.
    /// </summary>
    /// <param name="corners">For each image 4R_i values, in pixels of the input.</param>
    /// <param name="axis">0 for x, 1 for y.</param>
    private Tensor Weights(float[][] corners, int axis, float scale, int cells, Device device)
    {
        int regions = corners.Sum(image => image.Length / 4);
        var weights = new float[regions * Size * cells];
        float offset = Aligned ? 0.5f : 0;
        int region = 0;
        foreach (float[] image in corners)
        {
            for (int i = axis; i < image.Length; i += 4, region++)
            {
                float start = image[i] * scale - offset, length = image[i + 2] * scale - offset - start;
                if (!Aligned) length = Math.Max(length, 1);
                for (int sample = 0; sample < Size * Samples; sample++)
                {
                    float at = start + length * (sample + 0.5f) / (Samples * Size);
                    if (at < -1 || at > cells) continue;
                    at = Math.Clamp(at, 0, cells - 1);
                    int low = Math.Min((int)at, cells - 1), high = Math.Min(low + 1, cells - 1);
                    int row = (region * Size + sample / Samples) * cells;
                    weights[row + low] += (1 - (at - low)) / Samples;
                    weights[row + high] += (at - low) / Samples;
                }
            }
        }

        return regions == 0 ? zeros([0, Size, cells], ScalarType.Float32, device) : tensor(weights, [regions, Size, cells], device: device);
    }
}

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
        string image = graph.Add("Mul",
            [graph.Add("Slice", [boxes, graph.Integers(0), graph.Integers(1), graph.Integers(1)]), graph.Scalar(0f)]);
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

/// <summary>Turns regions of a feature map into features of one size.</summary>
internal interface IRoiPooling
{
    /// <summary>The features [R,C,S,S] of regions on a batch of maps; differentiable in the map.</summary>
    /// <param name="map">[N,C,h,w].</param>
    /// <param name="boxes">For each of the N images its regions [R_i,4], in pixels of the input.</param>
    /// <param name="scale">Cells of the map for one pixel of the input: 1/stride.</param>
    Tensor Pool(Tensor map, IReadOnlyList<Tensor> boxes, float scale);

    /// <summary>Writes the pooling of regions [R,4] on the map [1,C,h,w] of one image into an ONNX graph.</summary>
    string Write(GraphBuilder graph, string map, string boxes, float scale);
}
