using TorchSharp;
using static TorchSharp.torch;
using static TorchSharp.torch.nn;

namespace Microsoft.ML.Distillation.Losses;

// L_QF(σ, y) = −|y − σ|^β ((1 − y) log(1 − σ) + y log σ),     σ = sigmoid(logit),  β = 2,     summed over locations and classes
//
// Li et al., Generalized Focal Loss (NeurIPS 2020), equation 4. y is the quality (0 to 1) of the location's box where the class is
// that of its object, and 0 everywhere else, so that one score says both what is there and how well its box sits. It is divided by
// the sum of all y and not by their number, so that a batch of poor boxes counts as much as one of good ones.

/// <summary>The quality focal loss; its formula stands at the top of the file.</summary>
internal static class QualityFocalLoss
{
    /// <summary>The loss of a mini-batch.</summary>
    /// <param name="logits">[R,C].</param>
    /// <param name="qualities">y [R,C], without gradient.</param>
    /// <param name="normaliser">What the sum is divided by.</param>
    /// <param name="isLinear">Whether β is 1 and not 2.</param>
    public static Tensor Loss(Tensor logits, Tensor qualities, double normaliser, bool isLinear = false)
    {
        using var scope = NewDisposeScope();
        using Scalar divisor = normaliser;
        Tensor distance = logits.sigmoid() - qualities;
        Tensor entropy = functional.binary_cross_entropy_with_logits(logits, qualities, reduction: Reduction.None);
        return entropy.mul(isLinear ? distance.abs() : distance.mul(distance)).sum().div(divisor).MoveToOuterDisposeScope();
    }
}
