using Microsoft.ML.Distillation.Tensors;
using TorchSharp;
using static TorchSharp.torch;

namespace Microsoft.ML.Distillation.Compression;

// s = (high − low) / 255,   z = round(−low / s),   q = min(max(round(x / s) + z, 0), 255),   x̂ = s · (q − z)
//
// The range from low to high holds 0, which is then exact. Per channel's companion takes the range that inputs have shown; WRPN's is
// 0 to 1, which makes x̂ = round(255 x) / 255, or −1 to 1 where inputs have been below 0. The arithmetic is that of ONNX's
// QuantizeLinear and DequantizeLinear, in the same order.

/// <summary>Inputs of layers in 8 bits; the formulas stand at the top of the file.</summary>
internal static class ActivationQuantizer
{
    private static readonly Scalar Zero = 0;
    private static readonly Scalar One = 1;
    private static readonly Scalar MinusOne = -1;
    private static readonly Scalar Steps = 255;

    /// <summary>The step s and the whole number z that stands for 0, both [1].</summary>
    /// <param name="range">[2]: the lowest and the highest value that inputs have shown.</param>
    public static (Tensor Scale, Tensor ZeroPoint) Grid(Tensor range, QuantizerKind kind)
    {
        using var scope = NewDisposeScope();
        using IDisposable frozen = no_grad();
        Tensor low = range.narrow(0, 0, 1).clamp_max(Zero), high = range.narrow(0, 1, 1).clamp_min(Zero);
        if (kind == QuantizerKind.Wrpn)
        {
            high = ones_like(high);
            low = where(low.lt(Zero), full_like(low, MinusOne), zeros_like(low));
        }

        Tensor scale = high.sub(low).div(Steps);
        scale = where(scale.gt(Zero), scale, full_like(scale, One));
        Tensor zeroPoint = low.neg().div(scale).round().clamp(Zero, Steps);
        return (scale.MoveToOuterDisposeScope(), zeroPoint.MoveToOuterDisposeScope());
    }

    /// <summary>The rounded input, with straight-through gradients within the range.</summary>
    public static Tensor Round(Tensor input, Tensor range, QuantizerKind kind)
    {
        using var scope = NewDisposeScope();
        (Tensor scale, Tensor zeroPoint) = Grid(range, kind);
        Tensor rounded;
        using (no_grad())
        {
            rounded = input.detach().div(scale).round_().PlusInPlace(zeroPoint).clamp_(Zero, Steps).sub_(zeroPoint).mul_(scale);
        }

        return StraightThrough.Of(rounded, () =>
        {
            Tensor lowest = zeroPoint.neg().mul(scale), highest = zeroPoint.sub(full_like(zeroPoint, Steps)).neg().mul(scale);
            return input.clamp(lowest, highest);
        }).MoveToOuterDisposeScope();
    }
}

// y = q(x),     ∂L/∂x = ∂L/∂y · ∂p/∂x
//
// Bengio, Léonard and Courville, Estimating or Propagating Gradients Through Stochastic Neurons for Conditional Computation (2013):
// rounding has no useful gradient, so the one of p takes its place, where p is the value before rounding (limited to the range, so
// that what lies outside gets none).

/// <summary>The straight-through estimator; its formula stands at the top of the file.</summary>
internal static class StraightThrough
{
    /// <summary>Has the value of one tensor, bit by bit, and the gradient of the other.</summary>
    /// <param name="rounded">q(x), without gradient; disposed or returned.</param>
    /// <param name="passing">p(x).</param>
    public static Tensor Of(Tensor rounded, Func<Tensor> passing)
    {
        if (!is_grad_enabled()) return rounded;
        using var scope = NewDisposeScope();
        Tensor gradient = passing();
        // What is added is 0 exactly, so the value is that of the exported network.
        return rounded.Plus(gradient.sub(gradient.detach())).MoveToOuterDisposeScope();
    }
}
