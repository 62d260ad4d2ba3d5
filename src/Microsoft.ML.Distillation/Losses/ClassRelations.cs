using Microsoft.ML.Distillation.Distributed;
using Microsoft.ML.Distillation.Losses;
using Microsoft.ML.Distillation.Tensors;
using TorchSharp;
using static TorchSharp.torch;

namespace Microsoft.ML.Distillation;

// L_DIST = (1 − mean_r ρ(S_r, T_r)) + (1 − mean_c ρ(S_·c, T_·c)),     ρ Pearson's correlation
//
// Huang et al., Knowledge Distillation from a Stronger Teacher (NeurIPS 2022): of each box the relation between the classes, and of each
// class the relation between the boxes, are to be the teacher's; the probabilities themselves need not be. The relation between classes
// is left out where there is only one. A row or column that is constant on either side correlates with nothing: ρ = 0.

/// <summary>
/// DIST (Huang et al., NeurIPS 2022): the relations between the class probabilities of the boxes that soft targets look at are to be the
/// teacher's. Boxes on which the teacher has no opinion are left out.
/// </summary>
public sealed record ClassRelations : DistillationLoss
{
    /// <summary>1.</summary>
    public override double UsualWeight => 1;

    internal override string LogName => "class.relations";

    internal override LossParts Parts => LossParts.Proposals | LossParts.Locations;

    internal override Tensor OfProposals(ProposalAnswers answers)
        => OfKnown(answers.Logits.softmax(1), answers.Probabilities, answers.Known, answers.Ranks);

    internal override Tensor OfLocations(LocationAnswers answers)
        => OfKnown(answers.Logits.sigmoid(), answers.Probabilities, answers.Known, answers.Ranks);

    private static Tensor OfKnown(Tensor student, Tensor teacher, Tensor? known, RankGroup ranks)
    {
        if (known is null) return RelationLoss.Loss(student, teacher, ranks);
        Tensor rows = known.nonzero().squeeze(1);
        return RelationLoss.Loss(student.index_select(0, rows), teacher.index_select(0, rows), ranks);
    }
}

/// <summary>The relation loss of class probabilities; its formula stands at the top of the file.</summary>
internal static class RelationLoss
{
    private const double Tiny = 1e-8;

    // What rounding makes of a constant row of half precision is no relation: 2⁻¹¹ and 2⁻⁸ are the steps of the two kinds.
    private const double TinyOfHalf = 1e-6;
    private const double TinyOfBrain = 1e-4;

    /// <summary>The loss of a mini-batch.</summary>
    /// <param name="student">Probabilities [R,C].</param>
    /// <param name="teacher">Probabilities [R,C], without gradient.</param>
    /// <param name="ranks">The processes whose boxes are one mini-batch.</param>
    public static Tensor Loss(Tensor student, Tensor teacher, RankGroup? ranks = null)
    {
        if (ranks is { AreSeveral: true }) return OfAll(student, teacher, ranks);
        using var scope = NewDisposeScope();
        // The empty sum keeps a gradient, of zeros.
        if (student.shape[0] < 2) return student.sum().mul(zeros_like(student.sum())).MoveToOuterDisposeScope();
        double tiny = Math.Max(TinyOf(student), TinyOf(teacher));
        (student, teacher) = (student.Single(), teacher.Single());
        Tensor loss = Apart(student, teacher, 0, tiny);
        if (student.shape[1] > 1) loss = loss.Plus(Apart(student, teacher, 1, tiny));
        return loss.MoveToOuterDisposeScope();
    }

    /// <summary>
    /// This rank's part of the loss of all ranks' boxes: of its rows their own relations, and the columns' relations of all rows, by
    /// sums over the ranks.
    /// </summary>
    private static Tensor OfAll(Tensor student, Tensor teacher, RankGroup ranks)
    {
        using var scope = NewDisposeScope();
        double rows = ranks.Sums(student.shape[0])[0];
        if (rows < 2) return student.sum().mul(zeros_like(student.sum())).MoveToOuterDisposeScope();
        double tiny = Math.Max(TinyOf(student), TinyOf(teacher));
        (student, teacher) = (student.Single(), teacher.Single());
        using Scalar perRow = ranks.Count / rows, count = ranks.Count, least = tiny;
        Tensor a = student - ranks.Mean(student.sum(dim: 0)).mul(perRow), b = teacher - ranks.Mean(teacher.sum(dim: 0)).mul(perRow);
        Tensor sums = ranks.Mean(stack([a.mul(b).sum(dim: 0), a.mul(a).sum(dim: 0), b.mul(b).sum(dim: 0)])).mul(count);
        Tensor size = sums[1].clamp_min(least).sqrt().mul(sums[2].clamp_min(least).sqrt());
        Tensor loss = (sums[0] / size).mean().Complement();
        if (student.shape[1] > 1) loss = loss.Plus(Correlations(student, teacher, 1, tiny).sum().mul(perRow).Complement());
        return loss.MoveToOuterDisposeScope();
    }

    private static double TinyOf(Tensor values) => values.dtype switch
    {
        ScalarType.Float16 => TinyOfHalf,
        ScalarType.BFloat16 => TinyOfBrain,
        _ => Tiny,
    };

    private static Tensor Apart(Tensor student, Tensor teacher, long axis, double tiny)
        => Correlations(student, teacher, axis, tiny).mean().Complement();

    private static Tensor Correlations(Tensor student, Tensor teacher, long axis, double tiny)
    {
        Tensor a = student - student.mean([axis], keepdim: true), b = teacher - teacher.mean([axis], keepdim: true);
        Tensor size = Energy(a, axis, tiny).sqrt().mul(Energy(b, axis, tiny).sqrt());
        return a.mul(b).sum(dim: axis) / size;
    }

    /// <summary>The sum of squares. With the tiny number a constant row has a gradient of 0, not of 0/0.</summary>
    private static Tensor Energy(Tensor values, long axis, double tiny)
    {
        using Scalar least = tiny;
        return values.mul(values).sum(dim: axis).clamp_min(least);
    }
}
