namespace Microsoft.ML.Distillation.Published.Decoders;

/// <summary>Finds the decoder of a model.</summary>
internal static class FormatRecognition
{
    private static readonly IOutputDecoder[] Decoders =
    [
        new YoloXDecoder(), new YoloV5Decoder(), new YoloV8Decoder(), new YoloEndToEndDecoder(), new GflDecoder(pico: false),
        new GflDecoder(pico: true), new DetrDecoder(realTime: false), new DetrDecoder(realTime: true), new SsdDecoder(),
        new TorchvisionDecoder(), new TensorFlowDecoder(), new FastestDetDecoder(), new RfDetrDecoder(), new YoloNasDecoder(),
        new DamoYoloDecoder(), new PaddleDecoder(), new MMDeployDecoder(),
    ];

    /// <summary>The decoder of a format, or for <see cref="OnnxDetectorFormat.Auto"/> the only one that fits.</summary>
    /// <param name="probes">The model's outputs for pictures of several kinds; only as many are asked for as are needed.</param>
    /// <param name="source">The model's file, for the message.</param>
    /// <exception cref="FormatException">The outputs are not of the format; or they are of none, or of several. The message says what was
    /// seen.</exception>
    /// <exception cref="ArgumentException">The format and the options do not go together.</exception>
    public static IOutputDecoder Choose(OnnxDetectorFormat format, IEnumerable<IReadOnlyList<OnnxOutput>> probes, DecoderContext context,
        string source)
    {
        OnnxDetectorOptions options = context.Options;
        if (options.Decoder is not null && format is OnnxDetectorFormat.Auto or OnnxDetectorFormat.Custom) return new CustomDecoder();
        if (options.Layout is { } layout && format is OnnxDetectorFormat.Auto or OnnxDetectorFormat.Layout)
        {
            IReadOnlyList<OnnxOutput> outputs = probes.First();
            return LayoutDecoder.Problem(layout, outputs, context) is not { } problem ? new LayoutDecoder(layout)
                : throw new FormatException(
                    $"{Seen(outputs, context, source)} They are not as the option {nameof(options.Layout)} says: {problem}.");
        }

        (OnnxDetectorFormat Format, string Option)[] described =
            [(OnnxDetectorFormat.Custom, nameof(options.Decoder)), (OnnxDetectorFormat.Layout, nameof(options.Layout))];
        if (described.FirstOrDefault(one => one.Format == format).Option is { } needed)
            throw new ArgumentException($"The format {format} needs the option {needed}.");
        if (options.Layout is not null) throw new ArgumentException(
            $"The option {nameof(options.Layout)} describes the outputs: leave out the format {format}.");
        return format == OnnxDetectorFormat.Auto ? Recognise(probes, context, source) : Named(format, probes.First(), context, source);
    }

    private static IOutputDecoder Named(OnnxDetectorFormat format, IReadOnlyList<OnnxOutput> outputs, DecoderContext context, string source)
    {
        IOutputDecoder decoder = Decoders.First(candidate => candidate.Format == format);
        if (decoder.CanRead(outputs, context)) return decoder;
        throw new FormatException($"{Seen(outputs, context, source)} They are not of the format {format}: {decoder.Layout}. "
            + $"{OtherTasks.LooksLike(outputs, context)}{Advice(context)}");
    }

    private static IOutputDecoder Recognise(IEnumerable<IReadOnlyList<OnnxOutput>> probes, DecoderContext context, string source)
    {
        Dictionary<IOutputDecoder, FormatFit> fits = Decoders.ToDictionary(decoder => decoder, _ => FormatFit.Possible);
        IReadOnlyList<OnnxOutput> outputs = [];
        foreach (IReadOnlyList<OnnxOutput> seen in probes)
        {
            outputs = seen;
            foreach (IOutputDecoder decoder in fits.Keys.ToArray())
            {
                FormatFit fit = decoder.CanRead(seen, context) ? decoder.Recognise(seen, context) : FormatFit.None;
                if (fit == FormatFit.None) fits.Remove(decoder);
                else if (fit > fits[decoder]) fits[decoder] = fit;
            }

            if (fits.Count == 0) break;
            FormatFit best = fits.Values.Max();
            IOutputDecoder[] candidates = [.. fits.Where(fit => fit.Value == best).Select(fit => fit.Key)];
            // One format for which nothing speaks but that no other fits may be shown more, as long as there was nothing in the picture.
            if (candidates.Length == 1 && (best > FormatFit.Possible || HasSomething(seen))) return candidates[0];
        }

        if (fits.Count == 0)
        {
            string known = string.Join("; ", Decoders.Select(Describe));
            throw new FormatException($"{Seen(outputs, context, source)} {OtherTasks.LooksLike(outputs, context)}They fit none of the "
                + $"known formats: {known}. {Advice(context)}");
        }

        return fits.Count == 1 ? fits.Keys.Single() : Several(fits, outputs, context, source);
    }

    /// <summary>What reads a model of which the pictures did not tell: the first image in which it finds something tells.</summary>
    private static UndecidedDecoder Several(Dictionary<IOutputDecoder, FormatFit> fits, IReadOnlyList<OnnxOutput> outputs,
        DecoderContext context, string source)
    {
        FormatFit best = fits.Values.Max();
        IOutputDecoder[] candidates = [.. Decoders.Where(decoder => fits.TryGetValue(decoder, out FormatFit fit) && fit == best)];
        string several = $"They fit several formats: {string.Join("; ", candidates.Select(Describe))}. Say which one it is.";
        string message = $"{Seen(outputs, context, source)} {several}";
        OnnxPreprocessing preset = OnnxPreprocessing.For(candidates[0].Format);
        bool sameView = context.Options.Preprocessing is not null
            || candidates.All(decoder => OnnxPreprocessing.For(decoder.Format).Shows(preset));
        return sameView && !HasSomething(outputs) ? new UndecidedDecoder(candidates, message) : throw new FormatException(message);
    }

    /// <summary>Whether outputs hold any number other than those with which they are filled up.</summary>
    internal static bool HasSomething(IReadOnlyList<OnnxOutput> outputs)
        => outputs.Any(output => !output.IsInteger && output.Values.Span.ContainsAnyExcept(0f, -1f));

    private static string Describe(IOutputDecoder decoder) => $"{decoder.Format} ({decoder.Layout})";

    private static string Seen(IReadOnlyList<OnnxOutput> outputs, DecoderContext context, string source) =>
        $"With an input of {context.Input} the detector '{source}' gives {string.Join(", ", outputs)}, and its class names are C = "
            + $"{context.Classes}.";

    private static string Advice(DecoderContext context) =>
        $"Is {context.Classes} the number of the detector's own classes? A format that is not listed can be described by the option "
            + $"{nameof(OnnxDetectorOptions.Layout)}, or read through the option {nameof(OnnxDetectorOptions.Decoder)}.";
}

/// <summary>
/// Reads a model in whose outputs nothing has told yet which of some formats it is, all of which are shown the same: the first image in
/// which it finds something tells.
/// </summary>
internal sealed class UndecidedDecoder(IOutputDecoder[] candidates, string message) : IOutputDecoder
{
    private IOutputDecoder? _chosen;

    public OnnxDetectorFormat Format => (_chosen ?? candidates[0]).Format;

    public string Layout => (_chosen ?? candidates[0]).Layout;

    /// <summary>The formats that are left.</summary>
    public IEnumerable<OnnxDetectorFormat> Formats => candidates.Select(candidate => candidate.Format);

    public bool CanRead(IReadOnlyList<OnnxOutput> outputs, DecoderContext context)
        => candidates.Any(candidate => candidate.CanRead(outputs, context));

    public FormatFit Recognise(IReadOnlyList<OnnxOutput> outputs, DecoderContext context) => FormatFit.Possible;

    /// <summary>Reads one image's outputs.</summary>
    /// <exception cref="FormatException">They hold something, and still do not tell.</exception>
    public void Decode(IReadOnlyList<OnnxOutput> outputs, DecoderContext context, PredictionSink sink)
    {
        // Several threads that decide at once come to the same end.
        _chosen ??= Choose(outputs, context);
        _chosen?.Decode(outputs, context, sink);
    }

    private IOutputDecoder? Choose(IReadOnlyList<OnnxOutput> outputs, DecoderContext context)
    {
        if (!FormatRecognition.HasSomething(outputs)) return null;
        ILookup<FormatFit, IOutputDecoder> fits = candidates.Where(candidate => candidate.CanRead(outputs, context))
            .ToLookup(candidate => candidate.Recognise(outputs, context));
        IOutputDecoder[] best = [.. fits[FormatFit.Named].DefaultIfEmpty().OfType<IOutputDecoder>()];
        foreach (FormatFit degree in (ReadOnlySpan<FormatFit>)[FormatFit.Certain, FormatFit.Possible])
            if (best.Length == 0) best = [.. fits[degree]];
        return best.Length == 1 ? best[0] : throw new FormatException(message);
    }
}
