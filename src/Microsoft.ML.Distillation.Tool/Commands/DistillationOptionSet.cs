using System.CommandLine;
using System.Globalization;
using static System.FormattableString;

namespace Microsoft.ML.Distillation.Tool.Commands;

/// <summary>The options of what the student learns from its teacher.</summary>
internal sealed class DistillationOptionSet
{
    private static readonly SoftClasses Soft = new();
    private static readonly BoundedBoxes Boxes = new();
    private static readonly Hint Hint = new();

    /// <summary>The losses on maps, by their names.</summary>
    private static readonly (string Name, Func<double?, FeatureMapLoss> Make)[] OnMaps =
    [
        ("hint", weight => new Hint { Weight = weight }),
        ("pkd", weight => new PearsonFeatures { Weight = weight }),
        ("cwd", weight => new ChannelWise { Weight = weight }),
        ("mgd", weight => new MaskedGeneration { Weight = weight }),
    ];

    /// <summary>The losses that an option of their own adds, with its weight.</summary>
    private readonly (Option<double?> Option, Func<double, DistillationLoss> Make)[] _further =
    [
        (Weight("--dist-weight", "DIST: the weight of the relations between class probabilities, 1 is usual."),
            weight => new ClassRelations { Weight = weight }),
        (Weight("--ld-weight", "LD: the weight of the teacher's box distributions, 0.25 is usual; for one-stage students."),
            weight => new BoxDistributions { Weight = weight }),
        (Weight("--crosskd-weight", "CrossKD: the weight of the teacher's head on the student's maps, 1 is usual; between one-stage "
            + "detectors of this library."),
            weight => new CrossHead { Weight = weight }),
    ];

    private readonly Option<double?> _hard = SharedOptions.Number("--hard-weight",
        "μ: the ground truth's share of the classification loss; the teacher's soft targets have the rest. "
            + Invariant($"[default: 0.5; one-stage: 1, and {Soft.UsualWeight} for the soft targets, or 0 beside cwd]"), 0, 1);
    private readonly Option<double?> _soft = SharedOptions.Number("--soft-weight",
        "The weight of the teacher's soft targets. [default: what --hard-weight leaves of 1]");
    private readonly Option<double?> _background = SharedOptions.Number("--background-weight",
        Invariant($"w_0: the weight of the background in the soft targets (two-stage). [default: {Soft.BackgroundWeight}]"));
    private readonly Option<double?> _temperature = SharedOptions.Number("--temperature",
        Invariant($"The temperature of the soft targets. [default: {Soft.Temperature}]"), double.Epsilon);
    private readonly Option<double?> _bounded = SharedOptions.Number("--bounded-weight",
        Invariant($"ν: the weight of the teacher-bounded box regression. [default: {Boxes.UsualWeight}; one-stage beside cwd: 0]"));
    private readonly Option<double?> _margin = SharedOptions.Number("--margin",
        Invariant($"m: by how much the student must beat the teacher's box. [default: {Boxes.Margin}]"), double.MinValue);
    private readonly Option<double?> _hint = SharedOptions.Number("--hint-weight",
        Invariant($"γ: the weight of the hint, 0 for none. [default: {Hint.UsualWeight}]"));

    private readonly Option<double?> _teacher = SharedOptions.Number("--teacher-weight",
        "α: the weight of the teacher's own loss where it trains together with the student (--scheme a). [default: 1]");

    private readonly Option<string> _boxes = SharedOptions.Choice("--boxes",
        "How the teacher's boxes enter the loss: as a bound, as the target of a squared loss (two-stage), or not at all.", "bounded",
        "squared", "none");
    private readonly Option<string> _adaptation = SharedOptions.Choice("--hint-adaptation",
        "What stands between the student's map and the hint.", "learnt", "none");
    private readonly Option<string> _norm = SharedOptions.Choice("--hint-norm", "How the distance from the hint is measured.", "l2", "l1");
    private readonly Option<string> _parts = SharedOptions.Choice("--distill-parts",
        "The parts that learn classes and boxes from the teacher (two-stage).", "both", "rpn", "rcn").AlsoCalled("--distil-parts");
    private readonly Option<bool> _noSoft = new("--no-soft-targets") { Description = "Learn classes from the ground truth alone." };

    private readonly Option<string[]> _features = new Option<string[]>("--feature-loss")
    {
        Description = "Which losses hold the student's maps to the teacher's: hint, pkd, cwd, mgd, or none; several times or with commas, "
            + "each with its weight if that is to be another: pkd=6,hint. "
            + "[default: hint,cwd, or with --from hint; weights: hint 0.5, pkd 6, cwd 10, mgd 0.5]",
        HelpName = "NAME[=X]",
        AllowMultipleArgumentsPerToken = true,
    }.Completed("cwd", "hint", "mgd", "none", "pkd");

    private readonly Option<double?> _fade = SharedOptions.Number("--feature-fade",
        "The share of the training over which the losses on maps fade to nothing; 0: they stay. "
            + "[default: 0.5 for a fresh one-stage student, else 0]", 0, 1);

    /// <summary>Adds these to a command's options.</summary>
    public void AddTo(IList<Option> options)
    {
        Option[] all =
        [
            _hard, _soft, _background, _temperature, _bounded, _margin, _boxes, _hint, _adaptation, _norm, _parts, _noSoft, _teacher,
            _features, _fade,
            .. _further.Select(loss => loss.Option),
        ];
        foreach (Option option in all) options.Add(option);
    }

    /// <summary>ν: the weight of the bounded regression, which a control without a teacher has too.</summary>
    public double BoundedWeightIn(ParseResult parsed) => parsed.GetValue(_bounded) ?? Boxes.UsualWeight;

    /// <summary>The losses on maps that were asked for by name; <see langword="null"/>: nothing was said of them.</summary>
    /// <exception cref="UsageException">A loss is not known, or its weight is no number.</exception>
    public IReadOnlyList<FeatureMapLoss>? OnMapsIn(ParseResult parsed)
    {
        string[] asked = [.. (parsed.GetValue(_features) ?? []).SelectMany(text => text.Split(','))];
        if (asked.Length == 0) return null;
        // Of one that was named twice the last counts.
        return [.. asked.Select(OnMap).OfType<FeatureMapLoss>().GroupBy(loss => loss.GetType()).Select(same => same.Last())];
    }

    /// <summary>The name of a loss on maps that was asked for by name.</summary>
    public string? FeatureLossIn(ParseResult parsed)
        => OnMapsIn(parsed) is [var first, ..] ? OnMaps.First(loss => loss.Make(null).GetType() == first.GetType()).Name : null;

    /// <summary>Puts what was asked for into a copy of the options, whose teacher, network and start are decided.</summary>
    /// <exception cref="UsageException">A loss on maps is not known.</exception>
    public DistillDetectorOptions Apply(DistillDetectorOptions options, ParseResult parsed)
    {
        string boxes = parsed.GetRequiredValue(_boxes);
        List<DistillationLoss> losses = [.. options.DefaultLosses(OnMapsIn(parsed))];
        // Where a default leaves them out, a weight that is given asks for them.
        if (parsed.GetValue(_bounded) is not null || boxes == "squared") Ensure(losses, Boxes);
        if ((parsed.GetValue(_hard) ?? parsed.GetValue(_soft)) is not null) Ensure(losses, Soft);
        losses = [.. losses.Select(loss => Set(loss, parsed)).OfType<DistillationLoss>(), .. Further(parsed)];
        if (parsed.GetValue(_fade) is { } share)
        {
            (double from, double until) = share > 0 ? (0, share) : (1, 1);
            losses = [.. losses.Select(loss => loss is FeatureMapLoss maps ? maps with { FadeFrom = from, FadeUntil = until } : loss)];
        }

        return options with
        {
            Losses = losses.SequenceEqual(options.DefaultLosses()) ? null : losses,
            TeacherWeight = parsed.GetValue(_teacher) ?? options.TeacherWeight,
        };
    }

    private static void Ensure(List<DistillationLoss> losses, DistillationLoss wanted)
    {
        if (losses.All(loss => loss.GetType() != wanted.GetType())) losses.Insert(0, wanted);
    }

    /// <summary>A loss with the settings that were given; <see langword="null"/>: it is not wanted.</summary>
    private DistillationLoss? Set(DistillationLoss loss, ParseResult parsed) => loss switch
    {
        SoftClasses when parsed.GetValue(_noSoft) => null,
        SoftClasses soft => soft with
        {
            Weight = parsed.GetValue(_soft),
            LabelWeight = parsed.GetValue(_hard),
            BackgroundWeight = parsed.GetValue(_background) ?? soft.BackgroundWeight,
            Temperature = parsed.GetValue(_temperature) ?? soft.Temperature,
            LearningParts = PartsIn(parsed),
        },
        BoundedBoxes when parsed.GetValue(_boxes) == "none" => null,
        BoundedBoxes bounded => bounded with
        {
            Weight = parsed.GetValue(_bounded),
            Margin = parsed.GetValue(_margin) ?? bounded.Margin,
            Kind = parsed.GetValue(_boxes) == "squared" ? BoxDistillation.Squared : BoxDistillation.Bounded,
            LearningParts = PartsIn(parsed),
        },
        Hint hint => hint with
        {
            Weight = hint.Weight ?? parsed.GetValue(_hint),
            Adaptation = parsed.GetValue(_adaptation) == "none" ? HintAdaptation.None : HintAdaptation.Learnt,
            Norm = parsed.GetValue(_norm) == "l1" ? HintNorm.L1 : HintNorm.L2,
        },
        _ => loss,
    };

    private TwoStageParts PartsIn(ParseResult parsed) => parsed.GetValue(_parts) switch
    {
        "rpn" => TwoStageParts.Rpn,
        "rcn" => TwoStageParts.Rcn,
        _ => TwoStageParts.Both,
    };

    private IEnumerable<DistillationLoss> Further(ParseResult parsed)
    {
        foreach ((Option<double?> option, Func<double, DistillationLoss> make) in _further)
        {
            if (parsed.GetValue(option) is > 0 and double weight) yield return make(weight);
        }
    }

    /// <summary>The weight of a loss that is not there by default.</summary>
    private static Option<double?> Weight(string name, string description) => SharedOptions.Number(name, $"{description} [default: 0]");

    private static FeatureMapLoss? OnMap(string text)
    {
        string[] parts = text.Split('=');
        double? weight = null;
        if (parts.Length == 2)
        {
            bool isNumber = double.TryParse(parts[1], NumberStyles.Float, CultureInfo.InvariantCulture, out double value);
            weight = isNumber && value >= 0 && double.IsFinite(value)
                ? value
                : throw new UsageException($"--feature-loss {parts[0]} must have a weight of 0 or more, not '{parts[1]}'.");
        }

        string name = parts.Length <= 2 ? parts[0] : text;
        if (name == "none") return null;
        return OnMaps.FirstOrDefault(loss => loss.Name == name).Make?.Invoke(weight)
            ?? throw new UsageException($"--feature-loss must be one of {string.Join(", ", OnMaps.Select(loss => loss.Name))}, "
                + $"none, not '{text}'.");
    }
}
