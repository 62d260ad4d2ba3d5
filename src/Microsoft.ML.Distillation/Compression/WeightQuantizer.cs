using TorchSharp;
using static TorchSharp.torch;

namespace Microsoft.ML.Distillation.Compression;

// k bits:   n = 2^(k−1) − 1
//   per channel   s_c = max|w_c| / n,   q = round(w / s_c)
//   WRPN          s = 1 / n,            q = round(n · min(max(w, −1), 1))
// 2 bits:   Δ_c = 0.7 · mean|w_c|,      q = sign(w) where |w| > Δ_c, else 0,   s_c = mean of those |w_c|
// in each case ŵ = s · q
//
// WRPN: Mishra, Nurvitadhi, Cook and Marr, WRPN: Wide Reduced-Precision Networks (ICLR 2018). Ternary: Li, Zhang and Liu, Ternary
// Weight Networks (2016), here with a factor for each output channel.

/// <summary>Weights as whole numbers; the formulas stand at the top of the file.</summary>
/// <param name="Integers">Whole numbers as floats, of the weight's shape.</param>
/// <param name="Scale">[C]: what a unit of each output channel is worth, above 0.</param>
internal sealed record QuantizedWeights(Tensor Integers, Tensor Scale)
{
    /// <summary>The weights that these stand for.</summary>
    public Tensor Values => Integers.mul(Scale.view([-1, .. Enumerable.Repeat(1L, (int)Integers.dim() - 1)]));
}

/// <inheritdoc cref="QuantizedWeights"/>
internal static class WeightQuantizer
{
    private static readonly Scalar TernaryShare = 0.7;
    private static readonly Scalar One = 1;
    private static readonly Scalar MinusOne = -1;

    /// <summary>The largest whole number of a weight.</summary>
    public static int Largest(int bits) => (1 << (bits - 1)) - 1;

    /// <summary>Rounds weights.</summary>
    /// <param name="weight">[C,…], output channels first.</param>
    public static QuantizedWeights Of(Tensor weight, LowPrecision precision)
    {
        using var scope = NewDisposeScope();
        using IDisposable frozen = no_grad();
        Tensor rows = weight.detach().reshape(weight.shape[0], -1);
        (Tensor integers, Tensor scale) = precision switch
        {
            { WeightBits: 2 } => Ternary(rows),
            { Quantizer: QuantizerKind.Wrpn } => Wrpn(rows, Largest(precision.WeightBits)),
            _ => PerChannel(rows, Largest(precision.WeightBits)),
        };
        return new QuantizedWeights(
            integers.reshape(weight.shape).MoveToOuterDisposeScope(), scale.contiguous().MoveToOuterDisposeScope());
    }

    /// <summary>The rounded weights, with straight-through gradients.</summary>
    public static Tensor Round(Tensor weight, LowPrecision precision)
    {
        using var scope = NewDisposeScope();
        bool limited = precision is { WeightBits: > 2, Quantizer: QuantizerKind.Wrpn };
        return StraightThrough.Of(Of(weight, precision).Values, () => limited ? weight.clamp(MinusOne, One) : weight.alias())
            .MoveToOuterDisposeScope();
    }

    private static (Tensor, Tensor) PerChannel(Tensor rows, int largest)
    {
        using Scalar n = largest;
        Tensor scale = OrOne(rows.abs().amax([1L]).div(n));
        return (rows.div(scale.unsqueeze(1)).round(), scale);
    }

    private static (Tensor, Tensor) Wrpn(Tensor rows, int largest)
    {
        using Scalar n = largest, step = 1f / largest;
        return (rows.clamp(MinusOne, One).mul(n).round(), full_like(rows.select(1, 0), step));
    }

    private static (Tensor, Tensor) Ternary(Tensor rows)
    {
        Tensor size = rows.abs();
        Tensor kept = size.gt(size.mean([1L], keepdim: true).mul(TernaryShare)).to(rows.dtype);
        Tensor count = kept.sum(1).clamp_min(One);
        return (rows.sign().mul(kept), OrOne(size.mul(kept).sum(1).div(count)));
    }

    /// <summary>A channel of zeros has no scale of its own.</summary>
    private static Tensor OrOne(Tensor scale) => where(scale.gt(zeros_like(scale)), scale, ones_like(scale));
}
