using Microsoft.ML.Distillation.Tensors;
using TorchSharp;
using static TorchSharp.torch;

namespace Microsoft.ML.Distillation.Losses;

// L_G(A, B) = 1 − (IoU − |C \ (A ∪ B)| / |C|),     C the smallest box around both;     weighted mean over the boxes
//
// Rezatofighi et al., Generalized Intersection over Union (CVPR 2019). Unlike 1 − IoU it still has a gradient where boxes are apart.

/// <summary>The generalised IoU loss; its formula stands at the top of the file.</summary>
internal static class GeneralizedIouLoss
{
    /// <summary>Its weight in a one-stage detector's loss, as in Generalized Focal Loss (Li et al. 2020).</summary>
    public const double BoxFactor = 2;

    private const double Tiny = 1e-7;

    /// <summary>The loss of a mini-batch.</summary>
    /// <param name="boxes">x0 y0 x1 y1 [P,4], in any unit.</param>
    /// <param name="targets">x0 y0 x1 y1 [P,4], in the same unit.</param>
    /// <param name="weights">The boxes' weights [P].</param>
    /// <param name="normaliser">What the weighted sum is divided by: the sum of the weights for a mean.</param>
    public static Tensor Loss(Tensor boxes, Tensor targets, Tensor weights, double normaliser)
    {
        using var scope = NewDisposeScope();
        using Scalar divisor = normaliser;
        return Gaps(boxes, targets).mul(weights).sum().div(divisor).MoveToOuterDisposeScope();
    }

    /// <summary>1 − GIoU [P] of each box with its target.</summary>
    public static Tensor Gaps(Tensor boxes, Tensor targets)
    {
        using var scope = NewDisposeScope();
        using Scalar tiny = Tiny;
        (Tensor low, Tensor high) = (boxes.narrow(1, 0, 2), boxes.narrow(1, 2, 2));
        (Tensor trueLow, Tensor trueHigh) = (targets.narrow(1, 0, 2), targets.narrow(1, 2, 2));
        Tensor shared = Area((minimum(high, trueHigh) - maximum(low, trueLow)).relu());
        Tensor union = (Area(high - low).Plus(Area(trueHigh - trueLow)) - shared).clamp_min(tiny);
        Tensor around = Area(maximum(high, trueHigh) - minimum(low, trueLow)).clamp_min(tiny);
        Tensor iou = shared / union;
        return iou.Complement().Plus((around - union) / around).MoveToOuterDisposeScope();
    }

    /// <summary>Width times height; unlike <c>prod</c>, its gradient is right where one of them is 0.</summary>
    private static Tensor Area(Tensor size) => size.select(1, 0).mul(size.select(1, 1));
}
