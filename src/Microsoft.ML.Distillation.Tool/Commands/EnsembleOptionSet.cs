using System.CommandLine;
using System.Globalization;

namespace Microsoft.ML.Distillation.Tool.Commands;

/// <summary>The options of how a detector looks at images that it labels, and which of its detections become labels.</summary>
internal sealed class EnsembleOptionSet
{
    private static readonly EnsembleOptions Defaults = new();

    private readonly Option<string?> _scales = SharedOptions
        .Text("--scales", "The scales at which each image is shown; above 1 in overlapping parts. [default: 0.8,1,1.25; with --prompt 1, "
            + "and not mirrored]", "X,X,…");
    private readonly Option<bool> _noFlip = new("--no-flip") { Description = "Do not show each of them mirrored too." };
    private readonly Option<double?> _voting = SharedOptions
        .Number("--voting-overlap", "The overlap (IoU) from which on a box has a say in where another lies. [default: 0.8]", 0.01, 1);
    private readonly Option<double?> _suppression = SharedOptions
        .Number("--suppression-overlap", "The overlap (IoU) beyond which the worse of two boxes goes. [default: 0.5]", 0.01, 1);
    private readonly Option<double?> _least = SharedOptions
        .Number("--least-score", "Detections below this score are forgotten at once. [default: 0.05]", 0, 1);

    /// <summary>Adds these to a command's options.</summary>
    public void AddTo(IList<Option> options)
    {
        foreach (Option option in (Option[])[_scales, _noFlip, _voting, _suppression, _least]) options.Add(option);
    }

    /// <summary>What was asked for.</summary>
    /// <param name="once">Whether an image is looked at once, unless scales are given: for detectors that take seconds an image.</param>
    /// <exception cref="UsageException">A scale cannot be read.</exception>
    public EnsembleOptions Read(ParseResult parsed, bool once = false) => Defaults with
    {
        Transforms = once && parsed.GetValue(_scales) is null ? LabelTransform.Of([1], flip: false)
            : LabelTransform.Of(Scales(parsed), !parsed.GetValue(_noFlip)),
        VotingOverlap = parsed.GetValue(_voting) ?? Defaults.VotingOverlap,
        SuppressionOverlap = parsed.GetValue(_suppression) ?? Defaults.SuppressionOverlap,
        LeastScore = parsed.GetValue(_least) ?? Defaults.LeastScore,
    };

    /// <summary>A line that tells ways of looking apart.</summary>
    public static string Describe(EnsembleOptions options) => string.Create(CultureInfo.InvariantCulture,
        $"{string.Join(' ', options.Transforms
            .Select(t => string.Create(CultureInfo.InvariantCulture, $"{t.Scale}{(t.Flip ? "f" : "")}")))}; "
        + $"suppression {options.SuppressionOverlap}, voting {options.VotingOverlap}, least score {options.LeastScore}");

    private double[] Scales(ParseResult parsed) => parsed.GetValue(_scales) is not string text ? [0.8, 1, 1.25]
        : [.. text.Split(',').Select(part =>
        double.TryParse(part, NumberStyles.Float, CultureInfo.InvariantCulture, out double scale) && scale is >= 0.1 and <= 8
            ? scale
            : throw new UsageException($"--scales are numbers from 0.1 to 8 with commas between them, not '{text}'."))];
}
