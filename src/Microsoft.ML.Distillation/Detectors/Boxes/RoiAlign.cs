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
