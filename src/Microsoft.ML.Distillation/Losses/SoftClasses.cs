using Microsoft.ML.Distillation.Losses;
using Microsoft.ML.Distillation.Tensors;
using TorchSharp;
using static TorchSharp.torch;
using static TorchSharp.torch.nn;

namespace Microsoft.ML.Distillation;

// L_soft = −Σ_c w_c · P_t,c · log P_s,c,     averaged over the sampled boxes
//
// Chen et al., Learning Efficient Object Detection Models with Knowledge Distillation (NIPS 2017), equation 3: w_0 = 1.5 for
// the background and 1 for every object class. The weight is the class's, inside the sum, so a box that the teacher holds for
// half background pays half of its loss at the background's weight. With a temperature T both sides are softened and the loss
// is multiplied by T², which keeps its gradient's size (Hinton et al., 2015); the paper's T is 1.

/// <summary>
/// Chen et al.'s weighted soft cross-entropy (NIPS 2017): the teacher's class probabilities of the student's sampled anchors and proposals
/// as soft targets. A one-stage student's target scores, at locations with an object, are shared out among the classes as the teacher's
/// are.
/// </summary>
public sealed record SoftClasses : DistillationLoss
{
    /// <summary>
    /// 0.5: 1 − μ of Chen et al. Where <see cref="LabelWeight"/> is given and <see cref="DistillationLoss.Weight"/> is not, it is what
    /// that leaves of 1.
    /// </summary>
    public override double UsualWeight => 0.5;

    /// <summary>
    /// μ: the weight of the classification loss to the labels where this loss stands beside it, from 0 to 1; elsewhere it is 1.
    /// <see langword="null"/>: ½ as in Chen et al.; for one-stage students 1, as half of the quality focal loss is too little against what
    /// their boxes learn. In the terms of Apprentice this is β and <see cref="DistillationLoss.Weight"/> γ.
    /// </summary>
    public double? LabelWeight { get; init; }

    /// <summary>
    /// w_0: the weight of the background class, 0 or more; every object class has 1. One-stage students have no such class.
    /// </summary>
    public double BackgroundWeight { get; init; } = 1.5;

    /// <summary>The temperature T, above 0; 1 leaves the soft targets as they are.</summary>
    public double Temperature { get; init; } = 1;

    /// <summary>The parts of a two-stage student that learn classes from the teacher.</summary>
    public TwoStageParts LearningParts { get; init; } = TwoStageParts.Both;

    internal override string LogName => "class.soft";

    internal override LossParts Parts => LearningParts.Chosen();

    internal override double EffectiveWeight => Weight ?? (LabelWeight is { } labels ? 1 - labels : UsualWeight);

    /// <summary>
    /// Where the teacher has no opinion the ground truth speaks for it, and on objects where its scores leave open what is lacking to 1.
    /// </summary>
    internal override Tensor OfAnchors(AnchorAnswers answers)
    {
        Tensor targets = where(answers.Known, answers.Objectness, answers.Labels);
        if (answers.AreQualities) targets = maximum(targets, answers.Labels);
        return WeightedSoftCrossEntropy.BinaryLoss(answers.Logits, targets, BackgroundWeight, Temperature, answers.Sampled);
    }

    /// <summary>
    /// Where the teacher has no opinion the ground truth speaks for it. Scores that leave open what is lacking to 1 share an object out
    /// among its classes, and give the background nothing of it.
    /// </summary>
    internal override Tensor OfProposals(ProposalAnswers answers)
    {
        Tensor targets = answers.Probabilities;
        Tensor labelled = functional.one_hot(answers.Labels, targets.shape[1]).to(targets.dtype);
        if (answers.Known is { } known) targets = where(known.unsqueeze(1), targets, labelled);
        if (answers.AreQualities)
        {
            using Scalar none = 0;
            (Tensor nothing, Tensor objects) = (labelled.narrow(1, 0, 1), labelled.narrow(1, 1, targets.shape[1] - 1));
            Tensor shared = SharedOut(objects, answers.Probabilities.narrow(1, 1, targets.shape[1] - 1), answers.Known);
            targets = where(answers.Labels.gt(none).unsqueeze(1), cat([nothing, shared], 1), targets);
        }

        return WeightedSoftCrossEntropy.Loss(answers.Logits, targets, BackgroundWeight, Temperature, answers.Sampled);
    }

    /// <summary>The quality focal loss at locations with an object, their target scores shared out as the teacher says.</summary>
    internal override Tensor OfLocations(LocationAnswers answers)
    {
        Tensor theirs = answers.Probabilities.index_select(0, answers.Positives);
        Tensor wanted = SharedOut(answers.Qualities, theirs, answers.Known?.index_select(0, answers.Positives), Temperature);
        return QualityFocalLoss.Loss(answers.Logits.index_select(0, answers.Positives), wanted, answers.QualitySum);
    }

    internal override void Validate()
    {
        base.Validate();
        Check(LabelWeight is null or (>= 0 and <= 1), nameof(LabelWeight), LabelWeight, "from 0 to 1");
        Check(BackgroundWeight is >= 0 and < double.PositiveInfinity, nameof(BackgroundWeight), BackgroundWeight, "0 or more");
        Check(Temperature is > 0 and < double.PositiveInfinity, nameof(Temperature), Temperature, "above 0");
        CheckKind(LearningParts, nameof(LearningParts));
    }

    /// <summary>
    /// Soft targets for scores that say both what is there and how well its box sits: what the labels ask of a location in all, shared
    /// out among the
    /// classes as the teacher's probabilities for its box are: y_c = Σy · P_c^(1/T) / ΣP^(1/T). Where the teacher has no opinion, or
    /// rather sees none of
    /// the classes (ΣP below ½), the labels' own targets stay.
    /// </summary>
    /// <param name="labelled">y, the target scores from the labels [P,C].</param>
    /// <param name="teacher">P, the teacher's probabilities of the classes, the background left out [P,C].</param>
    /// <param name="known">Where the teacher has an opinion, bool [P]; <see langword="null"/>: everywhere.</param>
    /// <param name="temperature">T.</param>
    internal static Tensor SharedOut(Tensor labelled, Tensor teacher, Tensor? known, double temperature = 1)
    {
        using var scope = NewDisposeScope();
        using Scalar half = 0.5, sharpness = 1 / temperature;
        Tensor sees = teacher.sum(1, keepdim: true).ge(half);
        if (known is not null) sees = sees.logical_and(known.unsqueeze(1));
        Tensor shares = temperature == 1 ? teacher : teacher.pow(sharpness);
        return where(sees, shares / shares.sum(1, keepdim: true) * labelled.sum(1, keepdim: true), labelled).MoveToOuterDisposeScope();
    }
}

/// <summary>The class-weighted cross-entropy with soft targets; its formula stands at the top of the file.</summary>
internal static class WeightedSoftCrossEntropy
{
    /// <summary>The loss of boxes that are classified among the background and C classes.</summary>
    /// <param name="logits">The student's logits [R,C+1], background first.</param>
    /// <param name="teacher">The teacher's probabilities at temperature 1 [R,C+1]; rows sum to 1.</param>
    /// <param name="backgroundWeight">w_0.</param>
    /// <param name="temperature">T.</param>
    /// <param name="count">What the sum over the rows is divided by; <see langword="null"/>: their number.</param>
    public static Tensor Loss(Tensor logits, Tensor teacher, double backgroundWeight, double temperature = 1, double? count = null)
    {
        using var scope = NewDisposeScope();
        Tensor targets = teacher;
        if (temperature != 1)
        {
            using Scalar t = temperature, sharpness = 1 / temperature;
            targets = teacher.pow(sharpness);
            targets /= targets.sum(1, keepdim: true);
            logits = logits.div(t);
        }

        Tensor logProbabilities = functional.log_softmax(logits, 1);
        Tensor perClass = targets.mul(logProbabilities).sum(dim: 0);
        Tensor weights = ones(perClass.shape[0], perClass.dtype, perClass.device);
        using Scalar background = backgroundWeight;
        weights.narrow(0, 0, 1).fill_(background);
        return Mean(perClass.mul(weights).sum(), count ?? logits.shape[0], temperature).MoveToOuterDisposeScope();
    }

    /// <summary>The loss of anchors, which hold an object or background.</summary>
    /// <param name="logits">The student's logits of there being an object [S].</param>
    /// <param name="teacher">The teacher's probabilities of an object at temperature 1 [S].</param>
    /// <param name="backgroundWeight">w_0.</param>
    /// <param name="temperature">T.</param>
    /// <param name="count">What the sum over the rows is divided by; <see langword="null"/>: their number.</param>
    public static Tensor BinaryLoss(
        Tensor logits, Tensor teacher, double backgroundWeight, double temperature = 1, double? count = null)
    {
        using var scope = NewDisposeScope();
        Tensor present = teacher;
        if (temperature != 1)
        {
            using Scalar t = temperature, sharpness = 1 / temperature;
            present = teacher.pow(sharpness);
            present /= present.Plus(teacher.Complement().pow(sharpness));
            logits = logits.div(t);
        }

        using Scalar background = backgroundWeight;
        Tensor objects = functional.logsigmoid(logits);
        Tensor nothing = functional.logsigmoid(logits.neg()).mul(background);
        return Mean(nothing.lerp(objects, present).sum(), count ?? logits.shape[0], temperature).MoveToOuterDisposeScope();
    }

    private static Tensor Mean(Tensor sum, double count, double temperature)
    {
        using Scalar factor = -temperature * temperature / (count > 0 ? count : 1);
        return sum.mul(factor);
    }
}
