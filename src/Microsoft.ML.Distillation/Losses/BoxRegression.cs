using TorchSharp;
using static TorchSharp.torch;
using static TorchSharp.torch.nn;

namespace Microsoft.ML.Distillation.Losses;

// The supervised losses on box deltas. R are the student's deltas and y the encoded ground truth of the P positive
// boxes among a mini-batch of N sampled ones.
//
//     L_1 = 1/N Σ_p Σ_4 smooth(R − y),   smooth(d) = d²/2β  for |d| < β,  |d| − β/2 otherwise,   β = 1/9
//     L_2 = 1/N Σ_p ‖R − y‖²
//
// L_1: Girshick, Fast R-CNN (ICCV 2015), with σ = 3 (β = 1/σ²) as in Ren et al., Faster R-CNN (NIPS 2015), and
// torchvision's detection models; dividing by N, not by P, keeps its share of the loss even when objects are few.
// L_2: what is left of Chen's bounded loss when the bound and the teacher are taken away; the control for it. With the teacher's
// deltas in the place of y it is the plain L2 loss to the teacher's boxes that the paper compares its bound with.

/// <summary>The supervised losses on box deltas; the formulas stand at the top of the file.</summary>
internal static class BoxRegression
{
    /// <summary>The point at which the smooth L1 loss turns from square to linear.</summary>
    public const double Beta = 1.0 / 9;

    /// <summary>The smooth L1 loss.</summary>
    /// <param name="deltas">The student's deltas [P,4].</param>
    /// <param name="targets">The encoded ground truth [P,4].</param>
    /// <param name="sampled">N, the number of boxes in the mini-batch, positive or not; above 0.</param>
    public static Tensor SmoothL1(Tensor deltas, Tensor targets, double sampled)
    {
        using var scope = NewDisposeScope();
        using Scalar n = sampled;
        return functional.smooth_l1_loss(deltas, targets, Reduction.Sum, Beta).div(n).MoveToOuterDisposeScope();
    }

    /// <summary>The squared loss; parameters as in <see cref="SmoothL1"/>.</summary>
    /// <param name="scale">A factor on deltas and targets, before squaring.</param>
    public static Tensor Squared(Tensor deltas, Tensor targets, double sampled, double scale = 1)
    {
        using var scope = NewDisposeScope();
        using Scalar factor = scale * scale / sampled;
        return functional.mse_loss(deltas, targets, Reduction.Sum).mul(factor).MoveToOuterDisposeScope();
    }
}
