using Microsoft.ML.Distillation.Tensors;
using static TorchSharp.torch;

namespace Microsoft.ML.Distillation.Compression;

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
