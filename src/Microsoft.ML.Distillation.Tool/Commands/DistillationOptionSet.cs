using System.CommandLine;
using static System.FormattableString;

namespace Microsoft.ML.Distillation.Tool.Commands;

/// <summary>The options of what the student learns from its teacher.</summary>
internal sealed class DistillationOptionSet
{
    private static readonly DistillationOptions Defaults = new();

    private readonly Option<double?> _hard = SharedOptions.Number("--hard-weight", Invariant($"μ: the ground truth's share of the classification loss. [default: {Defaults.HardWeight}]"), 0, 1);
    private readonly Option<double?> _background = SharedOptions.Number("--background-weight", Invariant($"w_0: the weight of the background in the soft targets. [default: {Defaults.BackgroundWeight}]"));
    private readonly Option<double?> _temperature = SharedOptions.Number("--temperature", Invariant($"The temperature of the soft targets. [default: {Defaults.Temperature}]"), double.Epsilon);
    private readonly Option<double?> _bounded = SharedOptions.Number("--bounded-weight", Invariant($"ν: the weight of the teacher-bounded box regression. [default: {Defaults.BoundedRegressionWeight}]"));
    private readonly Option<double?> _margin = SharedOptions.Number("--margin", Invariant($"m: by how much the student must beat the teacher's box. [default: {Defaults.Margin}]"), double.MinValue);
    private readonly Option<double?> _hint = SharedOptions.Number("--hint-weight", Invariant($"γ: the weight of the hint, 0 for none. [default: {Defaults.HintWeight}]"));

    private readonly LaterLossOptionSet _later = new();

    /// <summary>Adds these to a command's options.</summary>
    public void AddTo(IList<Option> options)
    {
        foreach (Option option in (Option[])[_hard, _background, _temperature, _bounded, _margin, _hint]) options.Add(option);
        _later.AddTo(options);
    }

    /// <summary>What was asked for.</summary>
    /// <exception cref="UsageException">A loss on maps is not known.</exception>
    public DistillationOptions Read(ParseResult parsed) => _later.Apply(parsed, Defaults with
    {
        HardWeight = parsed.GetValue(_hard) ?? Defaults.HardWeight,
        BackgroundWeight = parsed.GetValue(_background) ?? Defaults.BackgroundWeight,
        Temperature = parsed.GetValue(_temperature) ?? Defaults.Temperature,
        BoundedRegressionWeight = parsed.GetValue(_bounded) ?? Defaults.BoundedRegressionWeight,
        Margin = parsed.GetValue(_margin) ?? Defaults.Margin,
        HintWeight = parsed.GetValue(_hint) ?? Defaults.HintWeight,
    });
}
