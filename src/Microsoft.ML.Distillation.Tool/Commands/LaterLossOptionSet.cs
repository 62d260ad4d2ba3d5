using System.CommandLine;
using System.Globalization;
using Microsoft.ML.Distillation.Training;

namespace Microsoft.ML.Distillation.Tool.Commands;

/// <summary>The options of the losses that came after Chen et al. 2017.</summary>
internal sealed class LaterLossOptionSet
{
    private readonly Option<string[]> _features = new("--feature-loss")
    {
        Description = "Which losses hold the student's maps to the teacher's: hint, pkd, cwd, mgd, or none; several times or with commas, each with its weight "
            + "if that is to be another: pkd=6,hint. [default: hint,cwd, or with --from hint; weights: hint 0.5, pkd 6, cwd 10, mgd 0.5]",
        HelpName = "NAME[=X]",
        AllowMultipleArgumentsPerToken = true,
    };

    private readonly Option<double?> _dist = SharedOptions.Number("--dist-weight", "DIST: the weight of the relations between class probabilities, 1 is usual. [default: 0]");
    private readonly Option<double?> _localization = SharedOptions.Number("--ld-weight", "LD: the weight of the teacher's box distributions, 0.25 is usual; for one-stage students. [default: 0]");
    private readonly Option<double?> _crossHead = SharedOptions.Number("--crosskd-weight", "CrossKD: the weight of the teacher's head on the student's maps, 1 is usual; for one-stage students. [default: 0]");

    /// <summary>Adds these to a command's options.</summary>
    public void AddTo(IList<Option> options)
    {
        foreach (Option option in (Option[])[_features, _dist, _localization, _crossHead]) options.Add(option);
    }

    /// <summary>Puts what was asked for into a copy of the options.</summary>
    /// <exception cref="UsageException">A loss is not known, or its weight is no number.</exception>
    public DistillationOptions Apply(ParseResult parsed, DistillationOptions options)
    {
        options = options with
        {
            DistWeight = parsed.GetValue(_dist) ?? options.DistWeight,
            LocalizationWeight = parsed.GetValue(_localization) ?? options.LocalizationWeight,
            CrossHeadWeight = parsed.GetValue(_crossHead) ?? options.CrossHeadWeight,
        };
        string[] asked = FeaturesIn(parsed);
        return asked.Length == 0 ? options : asked.Aggregate(options with { Hint = false, CwdWeight = 0 }, Add);
    }

    /// <summary>A loss on feature maps that was asked for by name.</summary>
    public string? FeatureLossIn(ParseResult parsed) => FeaturesIn(parsed).Select(text => text.Split('=')[0]).FirstOrDefault(name => name != "none");

    private string[] FeaturesIn(ParseResult parsed) => [.. (parsed.GetValue(_features) ?? []).SelectMany(text => text.Split(','))];

    private static DistillationOptions Add(DistillationOptions options, string text)
    {
        string[] parts = text.Split('=');
        double? weight = null;
        if (parts.Length == 2)
        {
            weight = double.TryParse(parts[1], NumberStyles.Float, CultureInfo.InvariantCulture, out double value) && value >= 0 && double.IsFinite(value)
                ? value
                : throw new UsageException($"--feature-loss {parts[0]} must have a weight of 0 or more, not '{parts[1]}'.");
        }

        return (parts.Length <= 2 ? parts[0] : text) switch
        {
            "hint" => options with { Hint = true, HintWeight = weight ?? options.HintWeight },
            "pkd" => options with { PkdWeight = weight ?? 6 },
            "cwd" => options with { CwdWeight = weight ?? FeatureTerms.DefaultCwdWeight },
            "mgd" => options with { MgdWeight = weight ?? 0.5 },
            "none" => options,
            _ => throw new UsageException($"--feature-loss must be one of hint, pkd, cwd, mgd, none, not '{text}'."),
        };
    }
}
