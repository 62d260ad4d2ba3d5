using TorchSharp;
using static TorchSharp.torch;

namespace Microsoft.ML.Distillation.Losses;

// L_b(R_s, R_t, y) = ‖R_s − y‖²   if ‖R_s − y‖² + m > ‖R_t − y‖²,   0 otherwise;      summed over the P positive boxes, / N
//
// Chen et al., Learning Efficient Object Detection Models with Knowledge Distillation (NIPS 2017), equations 4 and 5. The
// teacher's box is no target, since its error has no limit and may point away from the truth: it is an upper bound that the
// student must beat. ‖·‖² runs over the four deltas of one box, so each box passes or fails the test on its own.
//
// One-stage students have no deltas from a given box; their boxes learn by GIoU. For them the same bound is on that loss:
//
// L_b(S, T, Y) = w (1 − GIoU(S, Y))   if 1 − GIoU(S, Y) + m > 1 − GIoU(T, Y),   0 otherwise;   summed over the boxes, / Σ w

/// <summary>The teacher-bounded regression loss; its formula stands at the top of the file.</summary>
internal static class TeacherBoundedRegression
{
    /// <summary>The loss of a mini-batch.</summary>
    /// <param name="student">The student's deltas R_s of the positive boxes [P,4].</param>
    /// <param name="teacher">The teacher's deltas R_t in the same encoding [P,4]; infinite where it has no opinion, which never asks anything.</param>
    /// <param name="targets">The encoded ground truth y [P,4].</param>
    /// <param name="sampled">N, the number of boxes in the mini-batch, positive or not.</param>
    /// <param name="margin">m, in units of squared scaled deltas.</param>
    /// <param name="scale">A factor on all deltas, before squaring.</param>
    public static Tensor Loss(
        Tensor student, Tensor teacher, Tensor targets, long sampled, double margin = 0, double scale = 1)
    {
        using var scope = NewDisposeScope();
        using Scalar one = 1;
        using Scalar m = margin / (scale * scale);
        using Scalar factor = scale * scale / Math.Max(1, sampled);
        Tensor studentError = SquaredError(student, targets);
        Tensor teacherError = SquaredError(teacher, targets);
        Tensor active = studentError.detach().add(m, one).gt(teacherError).to_type(studentError.dtype);
        return studentError.mul(active).sum().mul(factor).MoveToOuterDisposeScope();
    }

    /// <summary>The loss of a one-stage student's boxes.</summary>
    /// <param name="student">The student's boxes S, x0 y0 x1 y1 [P,4], in any unit.</param>
    /// <param name="teacher">The teacher's boxes T in the same unit [P,4]; infinite where it has no opinion, which never asks anything.</param>
    /// <param name="targets">The objects Y in the same unit [P,4].</param>
    /// <param name="weights">w [P].</param>
    /// <param name="normaliser">What the weighted sum is divided by.</param>
    /// <param name="margin">m, a difference of GIoU.</param>
    public static Tensor OverlapLoss(
        Tensor student, Tensor teacher, Tensor targets, Tensor weights, double normaliser, double margin = 0)
    {
        using var scope = NewDisposeScope();
        using Scalar one = 1, m = margin, divisor = normaliser;
        Tensor gaps = GeneralizedIouLoss.Gaps(student, targets);
        Tensor active = gaps.detach().add(m, one).gt(GeneralizedIouLoss.Gaps(teacher, targets)).to_type(gaps.dtype);
        return gaps.mul(active).mul(weights).sum().div(divisor).MoveToOuterDisposeScope();
    }

    private static Tensor SquaredError(Tensor deltas, Tensor targets)
    {
        Tensor difference = deltas - targets;
        return difference.mul(difference).sum(1);
    }
}
