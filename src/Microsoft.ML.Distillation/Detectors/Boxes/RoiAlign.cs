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
internal sealed record RoiAlign(int Size, bool Aligned)
{
    /// <summary>The samples of a bin on each axis.</summary>
    public const int Samples = 2;

    /// <summary>The features [R,C,Size,Size] of regions on a batch of maps; differentiable in the map.</summary>
    /// <param name="map">[N,C,h,w].</param>
    /// <param name="boxes">For each of the N images its regions [R_i,4], in pixels of the input.</param>
    /// <param name="scale">Cells of the map for one pixel of the input: 1/stride.</param>
    public Tensor Pool(Tensor map, IReadOnlyList<Tensor> boxes, float scale)
    {
        using DisposeScope scope = NewDisposeScope();
        (long channels, long height, long width) = (map.shape[1], map.shape[2], map.shape[3]);
        using Tensor all = cat([.. boxes]);
        Tensor rows = Weights(all.select(1, 1), all.select(1, 3), scale, height);
        Tensor columns = Weights(all.select(1, 0), all.select(1, 2), scale, width).transpose(1, 2);

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

    /// <summary>The share [R,Size,cells] of each cell of one axis in each bin.</summary>
    /// <param name="low">[R], where the regions start, in pixels of the input.</param>
    /// <param name="high">[R], where they end.</param>
    private Tensor Weights(Tensor low, Tensor high, float scale, long cells)
    {
        float offset = Aligned ? 0.5f : 0;
        Tensor start = (low * scale - offset).unsqueeze(1);
        Tensor length = (high * scale - offset).unsqueeze(1) - start;
        if (!Aligned) length = length.clamp_min(1);

        // The sample positions in bins: (0.25, 0.75, 1.25, …).
        Tensor steps = (arange(Size * Samples, ScalarType.Float32, low.device) + 0.5f) / (Samples * Size);
        Tensor at = start + length * steps;
        Tensor inside = (at >= -1).logical_and_(at <= cells).to(ScalarType.Float32) / Samples;
        Tensor distance = at.clamp(0, cells - 1).unsqueeze(2) - arange(cells, ScalarType.Float32, low.device);
        Tensor weights = (1 - distance.abs_()).relu_() * inside.unsqueeze(2);
        return weights.view(-1, Size, Samples, cells).sum(2);
    }
}
