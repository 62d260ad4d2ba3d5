using Microsoft.ML.Distillation.Tensors;
using TorchSharp;
using static TorchSharp.torch;

namespace Microsoft.ML.Distillation.Detectors.Boxes;

/// <summary>
/// The deltas that a regressor learns in place of a box: the shift of the centre in units of the reference box's size and
/// the logarithm of the size ratio, each times a weight.
/// dx = wx (x − xr)/wr, dy = wy (y − yr)/hr, dw = ww ln(w/wr), dh = wh ln(h/hr).
/// Source: Girshick et al., "Rich feature hierarchies…" (2014), appendix C; weights as in Faster R-CNN.
/// </summary>
internal sealed class BoxCoder(float wx, float wy, float ww, float wh)
{
    /// <summary>The largest size change that is decoded: ln(1000/16).</summary>
    public static readonly float LargestLogRatio = MathF.Log(1000f / 16f);

    private readonly float[] _weights = [wx, wy, ww, wh];

    /// <summary>The coder whose weights are all 1, that of the RPN.</summary>
    public static BoxCoder Unit { get; } = new(1, 1, 1, 1);

    /// <summary>The coder of the box head: weights 10, 10, 5, 5.</summary>
    public static BoxCoder Head { get; } = new(10, 10, 5, 5);

    /// <summary>What deltas are multiplied with: dx, dy, dw, dh.</summary>
    public ReadOnlySpan<float> Weights => _weights;

    /// <summary>The deltas [N,4] that lead from <paramref name="references"/> [N,4] to <paramref name="boxes"/> [N,4].</summary>
    public Tensor Encode(Tensor boxes, Tensor references)
    {
        using DisposeScope scope = NewDisposeScope();
        (Tensor centre, Tensor size) = CentreAndSize(boxes);
        (Tensor fromCentre, Tensor fromSize) = CentreAndSize(references);
        Tensor deltas = cat([(centre - fromCentre) / fromSize, (size / fromSize).log_()], -1);
        return deltas.mul_(tensor(_weights, device: deltas.device)).MoveToOuterDisposeScope();
    }

    /// <summary>
    /// The boxes that <paramref name="deltas"/> [...,4] lead to from <paramref name="references"/> [...,4]; leading
    /// dimensions broadcast, so [R,C,4] decodes against [R,1,4].
    /// </summary>
    public Tensor Decode(Tensor deltas, Tensor references)
    {
        using DisposeScope scope = NewDisposeScope();
        (Tensor fromCentre, Tensor fromSize) = CentreAndSize(references);
        Tensor plain = deltas / tensor(_weights, device: deltas.device);
        using Scalar largest = LargestLogRatio, oneHalf = 0.5f;
        Tensor centre = plain.narrow(-1, 0, 2).mul(fromSize).Plus(fromCentre);
        Tensor half = plain.narrow(-1, 2, 2).clamp_max(largest).exp().mul(fromSize.mul(oneHalf));
        return cat([centre - half, centre.Plus(half)], -1).MoveToOuterDisposeScope();
    }

    /// <summary>Encodes one box; all spans hold four values.</summary>
    public void Encode(ReadOnlySpan<float> box, ReadOnlySpan<float> reference, Span<float> deltas)
    {
        float fromWidth = reference[2] - reference[0], fromHeight = reference[3] - reference[1];
        float width = box[2] - box[0], height = box[3] - box[1];
        deltas[0] = _weights[0] * (box[0] + 0.5f * width - (reference[0] + 0.5f * fromWidth)) / fromWidth;
        deltas[1] = _weights[1] * (box[1] + 0.5f * height - (reference[1] + 0.5f * fromHeight)) / fromHeight;
        deltas[2] = _weights[2] * MathF.Log(width / fromWidth);
        deltas[3] = _weights[3] * MathF.Log(height / fromHeight);
    }

    /// <summary>Decodes one box; all spans hold four values.</summary>
    public void Decode(ReadOnlySpan<float> deltas, ReadOnlySpan<float> reference, Span<float> box)
    {
        float fromWidth = reference[2] - reference[0], fromHeight = reference[3] - reference[1];
        float x = deltas[0] / _weights[0] * fromWidth + (reference[0] + 0.5f * fromWidth);
        float y = deltas[1] / _weights[1] * fromHeight + (reference[1] + 0.5f * fromHeight);
        float halfWidth = MathF.Exp(MathF.Min(deltas[2] / _weights[2], LargestLogRatio)) * (fromWidth * 0.5f);
        float halfHeight = MathF.Exp(MathF.Min(deltas[3] / _weights[3], LargestLogRatio)) * (fromHeight * 0.5f);
        (box[0], box[1], box[2], box[3]) = (x - halfWidth, y - halfHeight, x + halfWidth, y + halfHeight);
    }

    private static (Tensor Centre, Tensor Size) CentreAndSize(Tensor boxes)
    {
        Tensor low = boxes.narrow(-1, 0, 2);
        Tensor size = boxes.narrow(-1, 2, 2) - low;
        using Scalar half = 0.5f;
        return (low.Plus(size.mul(half)), size);
    }
}
