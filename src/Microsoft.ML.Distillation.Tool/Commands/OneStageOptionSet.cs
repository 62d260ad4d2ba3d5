using System.CommandLine;
using System.Globalization;

namespace Microsoft.ML.Distillation.Tool.Commands;

/// <summary>The options of one-stage detectors alone.</summary>
internal sealed class OneStageOptionSet
{
    private static readonly OneStageOptions Defaults = new();

    private readonly Option<string?> _neck = SharedOptions
        .OptionalChoice("--neck", "One-stage: how maps are brought together. [default: pan]", "pan", "fpn");
    private readonly Option<int?> _channels = SharedOptions.Count("--channels", $"One-stage: the channels of neck and head. [default: 48]");
    private readonly Option<int?> _layers = SharedOptions
        .Count("--head-layers", $"One-stage: the layers of the head, up to 4. [default: {Defaults.HeadLayers}]");
    private readonly Option<string?> _strides = SharedOptions
        .Text("--strides", "One-stage: the strides of the maps, for example 8,16,32. [default: from the boxes]", "N,N,…");
    private readonly Option<string?> _assignment = SharedOptions
        .OptionalChoice("--assignment", "One-stage: which locations learn an object. [default: task-aligned]", "task-aligned", "atss");
    private readonly Option<bool> _dense =
        new("--dense-convolutions") { Description = "One-stage: dense 3×3 convolutions in neck and head in place of separable ones." };

    private Option[] All => [_neck, _channels, _layers, _strides, _assignment, _dense];

    /// <summary>Adds these to a command's options.</summary>
    public void AddTo(IList<Option> options)
    {
        foreach (Option option in All) options.Add(option);
    }

    /// <summary>The name of an option that was given, or none.</summary>
    public string? Given(ParseResult parsed) => All.FirstOrDefault(option => parsed.GetResult(option) is { Implicit: false })?.Name;

    /// <summary>What was asked for.</summary>
    /// <exception cref="UsageException">A word or number cannot be.</exception>
    public OneStageOptions Read(ParseResult parsed) => Defaults with
    {
        Neck = IsGiven(parsed, _neck, "fpn") ? OneStageNeck.Fpn : OneStageNeck.Pan,
        Channels = parsed.GetValue(_channels) ?? Defaults.Channels,
        HeadLayers = parsed.GetValue(_layers) ?? Defaults.HeadLayers,
        Strides = parsed.GetValue(_strides)?.Split(',').Select(Stride).ToArray(),
        Assignment = IsGiven(parsed, _assignment, "atss") ? OneStageAssignment.Atss : OneStageAssignment.TaskAligned,
        Separable = !parsed.GetValue(_dense),
    };

    private static int Stride(string text)
        => int.TryParse(text, NumberStyles.None, CultureInfo.InvariantCulture, out int stride)
            ? stride
            : throw new UsageException($"--strides must be whole numbers with commas between them, not '{text}'.");

    private static bool IsGiven(ParseResult parsed, Option<string?> option, string word)
        => word.Equals(parsed.GetValue(option), StringComparison.OrdinalIgnoreCase);
}
