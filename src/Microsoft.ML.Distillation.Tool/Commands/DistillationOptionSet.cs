using System.CommandLine;
using static System.FormattableString;

namespace Microsoft.ML.Distillation.Tool.Commands;

/// <summary>The options of what the student learns from its teacher.</summary>
internal sealed class DistillationOptionSet
{
    private static readonly DistillationOptions Defaults = new();

    private readonly Option<double?> _hard = SharedOptions.Number("--hard-weight", Invariant($"μ: the ground truth's share of the classification loss; the teacher's soft targets have the rest. [default: {DistillationOptions.UsualHardWeight}; one-stage: 1, and {DistillationOptions.UsualSoftWeight} for the soft targets, or 0 beside cwd]"), 0, 1);
    private readonly Option<double?> _soft = SharedOptions.Number("--soft-weight", "The weight of the teacher's soft targets. [default: what --hard-weight leaves of 1]");
    private readonly Option<double?> _background = SharedOptions.Number("--background-weight", Invariant($"w_0: the weight of the background in the soft targets (two-stage). [default: {Defaults.BackgroundWeight}]"));
    private readonly Option<double?> _temperature = SharedOptions.Number("--temperature", Invariant($"The temperature of the soft targets. [default: {Defaults.Temperature}]"), double.Epsilon);
    private readonly Option<double?> _bounded = SharedOptions.Number("--bounded-weight", Invariant($"ν: the weight of the teacher-bounded box regression. [default: {DistillationOptions.UsualBoundedWeight}; one-stage beside cwd: 0]"));
    private readonly Option<double?> _margin = SharedOptions.Number("--margin", Invariant($"m: by how much the student must beat the teacher's box. [default: {Defaults.Margin}]"), double.MinValue);
    private readonly Option<double?> _hint = SharedOptions.Number("--hint-weight", Invariant($"γ: the weight of the hint, 0 for none. [default: {Defaults.HintWeight}]"));

    private readonly Option<double?> _teacher = SharedOptions.Number("--teacher-weight", Invariant($"α: the weight of the teacher's own loss where it trains together with the student (--scheme a). [default: {Defaults.TeacherWeight}]"));

    private readonly Option<string> _boxes = SharedOptions.Choice("--boxes", "How the teacher's boxes enter the loss: as a bound, as the target of a squared loss (two-stage), or not at all.", "bounded", "squared", "none");
    private readonly Option<string> _adaptation = SharedOptions.Choice("--hint-adaptation", "What stands between the student's map and the hint.", "learnt", "none");
    private readonly Option<string> _norm = SharedOptions.Choice("--hint-norm", "How the distance from the hint is measured.", "l2", "l1");
    private readonly Option<string> _parts = SharedOptions.Choice("--distil-parts", "The parts that learn classes and boxes from the teacher.", "both", "rpn", "rcn");
    private readonly Option<bool> _noSoft = new("--no-soft-targets") { Description = "Learn classes from the ground truth alone." };
    private readonly LaterLossOptionSet _later = new();

    /// <summary>Adds these to a command's options.</summary>
    public void AddTo(IList<Option> options)
    {
        foreach (Option option in (Option[])[_hard, _soft, _background, _temperature, _bounded, _margin, _boxes, _hint, _adaptation, _norm, _parts, _noSoft, _teacher]) options.Add(option);
        _later.AddTo(options);
    }

    /// <inheritdoc cref="LaterLossOptionSet.FeatureLossIn"/>
    public string? FeatureLossIn(ParseResult parsed) => _later.FeatureLossIn(parsed);

    /// <summary>What was asked for.</summary>
    /// <exception cref="UsageException">A loss on maps is not known.</exception>
    public DistillationOptions Read(ParseResult parsed)
    {
        (bool rpn, bool rcn) = (parsed.GetValue(_parts) != "rcn", parsed.GetValue(_parts) != "rpn");
        (bool soft, bool boxes) = (!parsed.GetValue(_noSoft), parsed.GetValue(_boxes) != "none");
        return _later.Apply(parsed, Numbers(parsed) with
        {
            Boxes = parsed.GetValue(_boxes) == "squared" ? BoxDistillation.Squared : BoxDistillation.Bounded,
            HintAdaptation = parsed.GetValue(_adaptation) == "none" ? HintAdaptation.None : HintAdaptation.Learnt,
            HintNorm = parsed.GetValue(_norm) == "l1" ? HintNorm.L1 : HintNorm.L2,
            RpnSoftTargets = rpn && soft,
            RcnSoftTargets = rcn && soft,
            RpnBoundedRegression = rpn && boxes,
            RcnBoundedRegression = rcn && boxes,
        });
    }

    private DistillationOptions Numbers(ParseResult parsed) => Defaults with
    {
        HardWeight = parsed.GetValue(_hard),
        SoftWeight = parsed.GetValue(_soft),
        BackgroundWeight = parsed.GetValue(_background) ?? Defaults.BackgroundWeight,
        Temperature = parsed.GetValue(_temperature) ?? Defaults.Temperature,
        BoundedRegressionWeight = parsed.GetValue(_bounded),
        Margin = parsed.GetValue(_margin) ?? Defaults.Margin,
        HintWeight = parsed.GetValue(_hint) ?? Defaults.HintWeight,
        TeacherWeight = parsed.GetValue(_teacher) ?? Defaults.TeacherWeight,
    };
}
