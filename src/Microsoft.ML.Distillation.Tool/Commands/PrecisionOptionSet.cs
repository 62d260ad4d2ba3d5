using System.CommandLine;

namespace Microsoft.ML.Distillation.Tool.Commands;

/// <summary>The options of students of low precision.</summary>
internal sealed class PrecisionOptionSet
{
    private readonly Option<LowPrecision?> _precision =
        Precision("Compute with few bits, in training and afterwards: w8a8, w4a8, w2a8 (weights and inputs), w8, w4 or w2 (weights "
        + "alone).");
    private readonly Option<string> _quantizer = Quantizer();
    private readonly Option<bool> _all = AllLayers();
    private readonly Option<string?> _from = SharedOptions
        .Path("--from", "A trained full-precision student to start from (of 'train', 'distill' or 'compress'), in the place of a fresh "
        + "network; the options of the network do not count then, and the learning rate is a tenth of the usual.", "FILE");
    private readonly Option<string?> _scheme = SharedOptions.OptionalChoice("--scheme",
        "How a student of low precision and its teacher train: a, both together from scratch, so that of --teacher only the architecture "
            + "counts; b, the student from scratch; c, from --from. [default: c with --from, else b]",
        "a", "b", "c");

    /// <summary>The option that names a precision.</summary>
    public static Option<LowPrecision?> Precision(string description)
    {
        var option = new Option<LowPrecision?>("--precision") { Description = description, HelpName = "wNaN" };
        option.CustomParser = result =>
        {
            try
            {
                return LowPrecision.Parse(result.Tokens[0].Value);
            }
            catch (FormatException)
            {
                result.AddError($"--precision must be w8a8, w4a8, w2a8, w8, w4 or w2, not '{result.Tokens[0].Value}'.");
                return null;
            }
        };
        option.CompletionSources.Add("w8a8", "w4a8", "w2a8", "w8", "w4", "w2");
        return option;
    }

    /// <summary>The option that names a quantiser.</summary>
    public static Option<string> Quantizer() => SharedOptions.Choice("--quantizer", "How numbers are rounded.", "per-channel", "wrpn");

    /// <summary>The option that spares no layer.</summary>
    public static Option<bool> AllLayers()
        => new("--quantize-all") { Description = "Lower the precision of the first convolution and of the predicting layers too." };

    /// <summary>A precision with what the other two options say.</summary>
    public static LowPrecision Complete(LowPrecision precision, string quantizer, bool all)
        => precision with { Quantizer = quantizer == "wrpn" ? QuantizerKind.Wrpn : QuantizerKind.PerChannel, FirstAndLastLayers = all };

    /// <summary>Adds these to a command's options.</summary>
    /// <param name="withTeacher">Whether the command has a teacher.</param>
    public void AddTo(IList<Option> options, bool withTeacher)
    {
        foreach (Option option in (Option[])[_precision, _quantizer, _all, _from]) options.Add(option);
        if (withTeacher) options.Add(_scheme);
    }

    /// <summary>Checks that the options go together.</summary>
    /// <exception cref="UsageException">They do not.</exception>
    public void Check(ParseResult parsed)
    {
        bool isFrom = parsed.GetValue(_from) is not null;
        if (parsed.GetValue(_precision) is null
            && (parsed.GetValue(_all) || parsed.GetResult(_quantizer) is { Implicit: false } || Scheme(parsed) is not null))
            throw new UsageException("--scheme, --quantizer and --quantize-all go with --precision.");
        if (Scheme(parsed) is { } scheme && isFrom != (scheme == ApprenticeScheme.C))
            throw new UsageException("--scheme c starts from a trained student: it goes with --from, and a and b do not.");
    }

    /// <summary>Puts what was given on the command line into a copy of the options.</summary>
    public T Apply<T>(T options, ParseResult parsed)
        where T : DetectorEstimatorOptions
    {
        LowPrecision? precision = parsed.GetValue(_precision);
        string? from = parsed.GetValue(_from);
        DetectorEstimatorOptions basis = options;
        return (T)(basis with
        {
            Precision = precision is null ? null : Complete(precision, parsed.GetRequiredValue(_quantizer), parsed.GetValue(_all)),
            InitialStudent = from is null ? null : TrainedDetector.FromModel(from),
        });
    }

    /// <summary>The scheme that was asked for.</summary>
    public ApprenticeScheme? Scheme(ParseResult parsed)
        => parsed.GetResult(_scheme) is not null && parsed.GetValue(_scheme) is string name
            ? Enum.Parse<ApprenticeScheme>(name, ignoreCase: true) : null;
}
