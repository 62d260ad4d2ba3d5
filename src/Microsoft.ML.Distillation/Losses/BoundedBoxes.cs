using Microsoft.ML.Distillation.Losses;
using TorchSharp;
using static TorchSharp.torch;

namespace Microsoft.ML.Distillation;

// L_b(R_s, R_t, y) = ‖R_s − y‖²   if ‖R_s − y‖² + m > ‖R_t − y‖²,   0 otherwise;      summed over the P positive boxes, / N
//
// Chen et al., Learning Efficient Object Detection Models with Knowledge Distillation (NIPS 2017), equations 4 and 5. The
// teacher's box is no target, since its error has no limit and may point away from the truth: it is an upper bound that the
// student must beat. ‖·‖² runs over the four deltas of one box, so each box passes or fails the test on its own.
//
// One-stage students have no deltas from a given box; their boxes learn by GIoU. For them the same bound is on that loss:
//
// L_b(S, T, Y) = w (1 − GIoU(S, Y))   if 1 − GIoU(S, Y) + m > 1 − GIoU(T, Y),   0 otherwise;   summed over the boxes, / Σ w

/// <summary>
/// Chen et al.'s bounded regression (NIPS 2017): the teacher's boxes as a bound that the student's must beat, or, as what the paper
/// compares it with, as the target of a squared loss. A one-stage student's bound is on 1 − GIoU, like its own box loss, and has that
/// loss's factor 2.
/// </summary>
public sealed record BoundedBoxes : DistillationLoss
{
    /// <summary>ν: 0.5.</summary>
    public override double UsualWeight => 0.5;

    /// <summary>
    /// m: by how much the student's squared error (a one-stage student's 1 − GIoU) must beat the teacher's to be left in peace.
    /// </summary>
    public double Margin { get; init; }

    /// <summary>How the teacher's boxes enter the loss.</summary>
    public BoxDistillation Kind { get; init; } = BoxDistillation.Bounded;

    /// <summary>The parts of a two-stage student that learn boxes from the teacher.</summary>
    public TwoStageParts LearningParts { get; init; } = TwoStageParts.Both;

    internal override string LogName => Kind == BoxDistillation.Squared ? "box.teacher" : "box.bounded";

    internal override LossParts Parts => LearningParts.Chosen();

    internal override double FactorOf(LossParts part) => part == LossParts.Locations ? GeneralizedIouLoss.BoxFactor : 1;

    internal override Tensor OfAnchors(AnchorAnswers answers) => OfDeltas(answers.Boxes());

    internal override Tensor OfProposals(ProposalAnswers answers) => OfDeltas(answers.Boxes());

    internal override Tensor OfLocations(LocationAnswers answers)
    {
        OverlapAnswers boxes = answers.Boxes();
        return TeacherBoundedRegression.OverlapLoss(boxes.Student, boxes.Teacher, boxes.Targets, boxes.Weights, boxes.WeightSum, Margin);
    }

    internal override void Validate()
    {
        base.Validate();
        Check(double.IsFinite(Margin), nameof(Margin), Margin, "a finite number");
        CheckKind(Kind, nameof(Kind));
        CheckKind(LearningParts, nameof(LearningParts));
    }

    /// <summary>
    /// Where the teacher has no opinion the bound asks for nothing, and the ground truth is the target of the squared loss.
    /// </summary>
    private Tensor OfDeltas(DeltaAnswers boxes)
    {
        Tensor? rows = boxes.Known?.unsqueeze(1);
        Tensor theirs = boxes.Teacher;
        if (Kind == BoxDistillation.Squared)
            return BoxRegression.Squared(boxes.Student, rows is null ? theirs : where(rows, theirs, boxes.Targets), boxes.Sampled,
                boxes.Scale);
        using Scalar infinity = double.PositiveInfinity;
        if (rows is not null) theirs = theirs.masked_fill(rows.logical_not(), infinity);
        return TeacherBoundedRegression.Loss(boxes.Student, theirs, boxes.Targets, boxes.Sampled, Margin, boxes.Scale);
    }
}

/// <summary>How the teacher's boxes enter the loss.</summary>
public enum BoxDistillation
{
    /// <summary>
    /// As a bound: the ground truth is the target of boxes that are worse than the teacher's (Chen et al. 2017, equation 4).
    /// </summary>
    Bounded,

    /// <summary>
    /// As the target of a squared loss, whether they are good or not: what the paper compares its bound with. For two-stage students.
    /// </summary>
    Squared,
}

/// <summary>The teacher-bounded regression loss; its formula stands at the top of the file.</summary>
internal static class TeacherBoundedRegression
{
    /// <summary>The loss of a mini-batch.</summary>
    /// <param name="student">The student's deltas R_s of the positive boxes [P,4].</param>
    /// <param name="teacher">
    /// The teacher's deltas R_t in the same encoding [P,4]; infinite where it has no opinion, which never asks anything.
    /// </param>
    /// <param name="targets">The encoded ground truth y [P,4].</param>
    /// <param name="sampled">N, the number of boxes in the mini-batch, positive or not; above 0.</param>
    /// <param name="margin">m, in units of squared scaled deltas.</param>
    /// <param name="scale">A factor on all deltas, before squaring.</param>
    public static Tensor Loss(
        Tensor student, Tensor teacher, Tensor targets, double sampled, double margin = 0, double scale = 1)
    {
        using var scope = NewDisposeScope();
        using Scalar one = 1;
        using Scalar m = margin / (scale * scale);
        using Scalar factor = scale * scale / sampled;
        Tensor studentError = SquaredError(student, targets);
        Tensor teacherError = SquaredError(teacher, targets);
        Tensor active = studentError.detach().add(m, one).gt(teacherError).to_type(studentError.dtype);
        return studentError.mul(active).sum().mul(factor).MoveToOuterDisposeScope();
    }

    /// <summary>The loss of a one-stage student's boxes.</summary>
    /// <param name="student">The student's boxes S, x0 y0 x1 y1 [P,4], in any unit.</param>
    /// <param name="teacher">
    /// The teacher's boxes T in the same unit [P,4]; infinite where it has no opinion, which never asks anything.
    /// </param>
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
