using Microsoft.ML.Distillation.Losses;
using static TorchSharp.torch;

namespace Microsoft.ML.Distillation;

/// <summary>
/// A loss that makes a student learn from its teacher: what it compares, how strongly it counts, and its settings, as one value. Lists of
/// them are the <see cref="DistillDetectorOptions.Losses"/>; the losses to the labels stand beside them always.
/// </summary>
public abstract record DistillationLoss
{
    private protected DistillationLoss()
    {
    }

    /// <summary>
    /// The factor with which the loss enters the total, 0 or more; at 0 it is not computed. <see langword="null"/>:
    /// <see cref="UsualWeight"/>,
    /// unless the loss says otherwise.
    /// </summary>
    public double? Weight { get; init; }

    /// <summary>The weight where none is given.</summary>
    public abstract double UsualWeight { get; }

    /// <summary>What it is called in logs and reports, after the name of the part of the detector: <c>class.soft</c>.</summary>
    internal abstract string LogName { get; }

    /// <summary>What it needs of teacher and student, beyond a teacher's answers for boxes.</summary>
    internal virtual LossNeeds Needs => LossNeeds.Answers;

    /// <summary>The parts of a detector that it has a term for; for each there is a method below.</summary>
    internal abstract LossParts Parts { get; }

    /// <summary>The weight that counts.</summary>
    internal virtual double EffectiveWeight => Weight ?? UsualWeight;

    /// <summary>What the weight is multiplied with in a part, to be in the unit of that part's own loss.</summary>
    internal virtual double FactorOf(LossParts part) => 1;

    /// <summary>The term of the RPN's sampled anchors.</summary>
    internal virtual Tensor OfAnchors(AnchorAnswers answers) => throw NoTerm(LossParts.Anchors);

    /// <summary>The term of the sampled proposals.</summary>
    internal virtual Tensor OfProposals(ProposalAnswers answers) => throw NoTerm(LossParts.Proposals);

    /// <summary>The term of a one-stage detector's sampled locations.</summary>
    internal virtual Tensor OfLocations(LocationAnswers answers) => throw NoTerm(LossParts.Locations);

    /// <summary>The terms of the teacher's head on the student's maps, by their names, and what multiplies the weight in each.</summary>
    internal virtual IReadOnlyList<(string Name, Tensor Value, double Factor)> OfCrossedHeads(CrossedHeads heads)
        => throw NoTerm(LossParts.Heads);

    /// <summary>Checks the settings.</summary>
    /// <exception cref="ArgumentOutOfRangeException">One is out of its range; the message names it.</exception>
    internal virtual void Validate() => Check(Weight is null or (>= 0 and < double.PositiveInfinity), nameof(Weight), Weight, "0 or more");

    /// <summary>Checks a setting.</summary>
    private protected void Check(bool valid, string option, object? value, string range)
    {
        if (!valid) throw new ArgumentOutOfRangeException(option, value, $"The option {GetType().Name}.{option} must be {range}.");
    }

    /// <summary>Checks that a setting is one of its kind's values.</summary>
    private protected void CheckKind<T>(T value, string option) where T : struct, Enum
        => Check(Enum.IsDefined(value), option, value, $"one of {string.Join(", ", Enum.GetNames<T>())}");

    private NotSupportedException NoTerm(LossParts part) => new($"{GetType().Name} has no term of {part}.");
}

/// <summary>The parts of a two-stage student.</summary>
public enum TwoStageParts
{
    /// <summary>RPN and RCN.</summary>
    Both,

    /// <summary>The region proposal network.</summary>
    Rpn,

    /// <summary>The classifier of regions. A one-stage student's one stage counts as this.</summary>
    Rcn,
}

/// <summary>What a loss needs of teacher and student.</summary>
internal enum LossNeeds
{
    /// <summary>The teacher's answers for boxes, which every teacher gives.</summary>
    Answers,

    /// <summary>Feature maps of both.</summary>
    Maps,

    /// <summary>Box sides that are distributions, of both.</summary>
    BoxDistributions,

    /// <summary>One-stage heads of both.</summary>
    Head,
}

/// <summary>The parts of a detector that losses have terms for.</summary>
[Flags]
internal enum LossParts
{
    None = 0,
    Anchors = 1,
    Proposals = 2,
    Locations = 4,
    Heads = 8,
    Maps = 16,
}

/// <summary>Turns the choice of parts into parts.</summary>
internal static class LossPartsOf
{
    /// <summary>The anchors are the RPN's; the proposals, and a one-stage student's locations, the RCN's.</summary>
    public static LossParts Chosen(this TwoStageParts parts) => parts switch
    {
        TwoStageParts.Rpn => LossParts.Anchors,
        TwoStageParts.Rcn => LossParts.Proposals | LossParts.Locations,
        _ => LossParts.Anchors | LossParts.Proposals | LossParts.Locations,
    };
}
