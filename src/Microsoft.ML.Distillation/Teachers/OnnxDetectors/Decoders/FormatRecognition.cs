namespace Microsoft.ML.Distillation.Teachers.OnnxDetectors.Decoders;

/// <summary>Finds the decoder of a model.</summary>
internal static class FormatRecognition
{
    private static readonly IOutputDecoder[] Decoders =
    [
        new YoloXDecoder(), new YoloV5Decoder(), new YoloV8Decoder(), new YoloEndToEndDecoder(), new GflDecoder(),
        new DetrDecoder(realTime: false), new DetrDecoder(realTime: true), new SsdDecoder(), new TorchvisionDecoder(), new TensorFlowDecoder(),
        new FastestDetDecoder(),
    ];

    /// <summary>The decoder of a format, or for <see cref="TeacherFormat.Auto"/> the only one that fits.</summary>
    /// <param name="outputs">The model's outputs for a grey image.</param>
    /// <param name="source">The model's file, for the message.</param>
    /// <exception cref="FormatException">The outputs are not of the format; or they are of none, or of several. The message says what was seen.</exception>
    public static IOutputDecoder Choose(TeacherFormat format, IReadOnlyList<OnnxOutput> outputs, DecoderContext context, string source)
    {
        if (context.Options.Decoder is not null && format is TeacherFormat.Auto or TeacherFormat.Custom) return new CustomDecoder();
        if (format == TeacherFormat.Custom) throw new ArgumentException($"The format {format} needs the option {nameof(OnnxTeacherOptions.Decoder)}.");
        return format == TeacherFormat.Auto ? Recognise(outputs, context, source) : Named(format, outputs, context, source);
    }

    private static IOutputDecoder Named(TeacherFormat format, IReadOnlyList<OnnxOutput> outputs, DecoderContext context, string source)
    {
        IOutputDecoder decoder = Decoders.First(candidate => candidate.Format == format);
        if (decoder.CanRead(outputs, context)) return decoder;
        throw new FormatException($"{Seen(outputs, context, source)} They are not of the format {format}: {decoder.Layout}. {Advice(context)}");
    }

    private static IOutputDecoder Recognise(IReadOnlyList<OnnxOutput> outputs, DecoderContext context, string source)
    {
        ILookup<FormatFit, IOutputDecoder> fits = Decoders.Where(decoder => decoder.CanRead(outputs, context))
            .ToLookup(decoder => decoder.Recognise(outputs, context));
        foreach (FormatFit degree in (ReadOnlySpan<FormatFit>)[FormatFit.Certain, FormatFit.Possible])
        {
            IOutputDecoder[] candidates = [.. fits[degree]];
            if (candidates.Length == 1) return candidates[0];
            if (candidates.Length == 0) continue;
            string several = string.Join("; ", candidates.Select(Describe));
            throw new FormatException($"{Seen(outputs, context, source)} They fit several formats: {several}. Say which one it is.");
        }

        string known = string.Join("; ", Decoders.Select(Describe));
        throw new FormatException($"{Seen(outputs, context, source)} They fit none of the known formats: {known}. {Advice(context)}");
    }

    private static string Describe(IOutputDecoder decoder) => $"{decoder.Format} ({decoder.Layout})";

    private static string Seen(IReadOnlyList<OnnxOutput> outputs, DecoderContext context, string source) =>
        $"With an input of {context.Input} the teacher '{source}' gives {string.Join(", ", outputs)}, and its class names are C = {context.Classes}.";

    private static string Advice(DecoderContext context) =>
        $"Is {context.Classes} the number of the teacher's own classes? A format that is not listed can be read through the option {nameof(OnnxTeacherOptions.Decoder)}.";
}
