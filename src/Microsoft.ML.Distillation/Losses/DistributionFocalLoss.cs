using Microsoft.ML.Distillation.Tensors;
using TorchSharp;
using static TorchSharp.torch;
using static TorchSharp.torch.nn;

namespace Microsoft.ML.Distillation.Losses;

// L_DF(S, y) = −((⌊y⌋ + 1 − y) log S_⌊y⌋ + (y − ⌊y⌋) log S_⌊y⌋+1),     mean over the four sides, weighted mean over the boxes
//
// Li et al., Generalized Focal Loss (NeurIPS 2020), equation 6. S is the softmax over the bins 0…m of a side's distance, y its true
// distance in the same unit (strides), kept below m so that there is a bin on either side of it.

/// <summary>The distribution focal loss; its formula stands at the top of the file.</summary>
internal static class DistributionFocalLoss
{
    /// <summary>Its weight in a one-stage detector's loss, as in Generalized Focal Loss.</summary>
    public const double EdgesFactor = 0.25;

    /// <summary>How far below the last bin a target stays.</summary>
    public const double Gap = 0.01;

    /// <summary>The loss of a mini-batch.</summary>
    /// <param name="logits">The logits of the bins [P,4,m+1].</param>
    /// <param name="distances">The true distances y [P,4], in bins.</param>
    /// <param name="weights">The boxes' weights [P].</param>
    /// <param name="normaliser">What the weighted sum is divided by: the sum of the weights for a mean.</param>
    public static Tensor Loss(Tensor logits, Tensor distances, Tensor weights, double normaliser)
    {
        using var scope = NewDisposeScope();
        using Scalar least = 0, most = logits.shape[2] - 1 - Gap, one = 1, divisor = normaliser;
        Tensor wanted = distances.clamp(least, most);
        Tensor lower = wanted.floor();
        Tensor upperShare = (wanted - lower).unsqueeze(2);
        Tensor index = lower.to_type(ScalarType.Int64).unsqueeze(2);
        Tensor log = functional.log_softmax(logits, 2);
        Tensor below = log.gather(2, index), above = log.gather(2, index.add(one, one));
        Tensor perBox = below.mul(upperShare.Complement()).Plus(above.mul(upperShare)).squeeze(2).mean([1]);
        return perBox.mul(weights).sum().neg().div(divisor).MoveToOuterDisposeScope();
    }
}
