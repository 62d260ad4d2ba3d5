using Microsoft.ML.Distillation.Compression;
using Microsoft.ML.Distillation.Detectors.Boxes;
using TorchSharp;
using static TorchSharp.torch;

namespace Microsoft.ML.Distillation.Detectors.Quantization;

// y = γ (ŵ * x − μ) / σ + β  =  (s γ/σ) (q * x) + (β − μ γ/σ),     σ = √(variance + ε)
//
// Training keeps batch normalisation as it is behind the rounded weights. In a file it disappears into the channel's scale and bias,
// while the whole numbers q stay what they were in training, but for their sign where γ is negative: scales are positive.

/// <summary>A layer's weights as a file holds them; how normalisation is folded stands at the top of the file.</summary>
/// <param name="Integers">q, row by row.</param>
/// <param name="Scale">What a unit of each output channel is worth.</param>
/// <param name="Bias">The bias of each output channel; none where the layer has none.</param>
internal sealed record FoldedWeights(sbyte[] Integers, float[] Scale, float[]? Bias)
{
    /// <summary>Folds a layer.</summary>
    public static FoldedWeights Of(ILowPrecisionLayer layer)
    {
        using DisposeScope scope = NewDisposeScope();
        using IDisposable frozen = no_grad();
        QuantizedWeights weights = WeightQuantizer.Of(layer.Weight, layer.Quantizer!.Precision);
        sbyte[] integers = Array.ConvertAll(TensorArrays.Floats(weights.Integers), q => (sbyte)q);
        float[] scale = TensorArrays.Floats(weights.Scale);
        float[]? bias = layer.Bias is null ? null : TensorArrays.Floats(layer.Bias);
        if (layer.Norm is not { } norm) return new FoldedWeights(integers, scale, bias);

        (float[] mean, float[] variance) = (TensorArrays.Floats(norm.running_mean!), TensorArrays.Floats(norm.running_var!));
        (float[] gamma, float[] beta) = (TensorArrays.Floats(norm.weight!), TensorArrays.Floats(norm.bias!));
        int row = integers.Length / scale.Length;
        var shift = new float[scale.Length];
        for (int c = 0; c < scale.Length; c++)
        {
            double factor = gamma[c] / Math.Sqrt(variance[c] + norm.eps);
            shift[c] = (float)(beta[c] + ((bias?[c] ?? 0) - mean[c]) * factor);
            float folded = (float)(scale[c] * factor);
            Span<sbyte> channel = integers.AsSpan(c * row, row);
            if (folded < 0) foreach (ref sbyte q in channel) q = (sbyte)-q;
            // A channel that gives only its bias keeps a usable scale.
            if (folded == 0) channel.Clear();
            scale[c] = folded == 0 ? scale[c] : Math.Abs(folded);
        }

        return new FoldedWeights(integers, scale, shift);
    }

    /// <summary>
    /// Gives a layer of low precision weights that round to these, and its normalisation, where it has one, what turns them into
    /// the same values.
    /// </summary>
    public void Restore(ILowPrecisionLayer layer)
    {
        using DisposeScope scope = NewDisposeScope();
        using IDisposable frozen = no_grad();
        Tensor weight = layer.Weight;
        Tensor rows = tensor(Array.ConvertAll(Integers, q => (float)q), [Scale.Length, Integers.Length / Scale.Length]);
        Tensor scale = tensor(Scale);
        LowPrecision precision = layer.Quantizer!.Precision;
        // WRPN's steps are the same for all weights, so there the factor can only be the normalisation's.
        float step = precision is { WeightBits: > 2, Quantizer: QuantizerKind.Wrpn } ? 1f / WeightQuantizer.Largest(precision.WeightBits)
            : 1;
        using Scalar unit = step, zero = 0;
        if (layer.Norm is not { } norm)
        {
            weight.copy_(rows.mul(step == 1 ? scale.unsqueeze(1) : tensor(step)).reshape(weight.shape));
            if (Bias is not null) layer.Bias!.copy_(tensor(Bias));
            return;
        }

        weight.copy_(rows.mul(unit).reshape(weight.shape));
        using Scalar variance = 1 - norm.eps;
        norm.running_mean!.fill_(zero);
        norm.running_var!.fill_(variance);
        norm.weight!.copy_(scale.div(unit));
        norm.bias!.copy_(tensor(Bias!));
        layer.Bias?.fill_(zero);
    }
}
