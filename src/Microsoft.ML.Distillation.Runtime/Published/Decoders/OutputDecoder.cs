using Microsoft.ML.Distillation.Images;

namespace Microsoft.ML.Distillation.Published.Decoders;

/// <summary>What a decoder has to know beside the outputs.</summary>
/// <param name="Input">The size of the model's input.</param>
/// <param name="ClassNames">The model's classes.</param>
/// <param name="OutputsBatched">Whether the model's outputs have a batch's axis (which the decoder does not see).</param>
internal sealed record DecoderContext(ImageSize Input, IReadOnlyList<string> ClassNames, OnnxDetectorOptions Options, bool OutputsBatched)
{
    /// <summary>C, the number of classes.</summary>
    public int Classes => ClassNames.Count;
}

/// <summary>How well outputs fit a format.</summary>
internal enum FormatFit
{
    /// <summary>They are of another format.</summary>
    None,

    /// <summary>They can be read so, but other formats look the same.</summary>
    Possible,

    /// <summary>No other format looks like this.</summary>
    Certain,
}

/// <summary>Reads the outputs of one family of detectors.</summary>
internal interface IOutputDecoder
{
    /// <summary>The format that it reads.</summary>
    OnnxDetectorFormat Format { get; }

    /// <summary>The outputs of the format, for messages.</summary>
    string Layout { get; }

    /// <summary>Whether outputs have the shapes of this format.</summary>
    bool CanRead(IReadOnlyList<OnnxOutput> outputs, DecoderContext context);

    /// <summary>How surely outputs that can be read are of this format, by their names and values.</summary>
    /// <param name="outputs">The model's outputs for a grey image.</param>
    FormatFit Recognise(IReadOnlyList<OnnxOutput> outputs, DecoderContext context);

    /// <summary>Reads one image's outputs.</summary>
    void Decode(IReadOnlyList<OnnxOutput> outputs, DecoderContext context, PredictionSink sink);
}

/// <summary>Finds the decoder of a model.</summary>
internal static class FormatRecognition
{
    private static readonly IOutputDecoder[] Decoders =
    [
        new YoloXDecoder(), new YoloV5Decoder(), new YoloV8Decoder(), new YoloEndToEndDecoder(), new GflDecoder(),
        new DetrDecoder(realTime: false), new DetrDecoder(realTime: true), new SsdDecoder(), new TorchvisionDecoder(),
        new TensorFlowDecoder(),
        new FastestDetDecoder(),
    ];

    /// <summary>The decoder of a format, or for <see cref="OnnxDetectorFormat.Auto"/> the only one that fits.</summary>
    /// <param name="outputs">The model's outputs for a grey image.</param>
    /// <param name="source">The model's file, for the message.</param>
    /// <exception cref="FormatException">The outputs are not of the format; or they are of none, or of several. The message says what was
    /// seen.</exception>
    public static IOutputDecoder Choose(OnnxDetectorFormat format, IReadOnlyList<OnnxOutput> outputs, DecoderContext context, string source)
    {
        if (context.Options.Decoder is not null
            && format is OnnxDetectorFormat.Auto or OnnxDetectorFormat.Custom) return new CustomDecoder();
        if (format == OnnxDetectorFormat.Custom) throw new ArgumentException(
            $"The format {format} needs the option {nameof(OnnxDetectorOptions.Decoder)}.");
        return format == OnnxDetectorFormat.Auto ? Recognise(outputs, context, source) : Named(format, outputs, context, source);
    }

    private static IOutputDecoder Named(OnnxDetectorFormat format, IReadOnlyList<OnnxOutput> outputs, DecoderContext context, string source)
    {
        IOutputDecoder decoder = Decoders.First(candidate => candidate.Format == format);
        if (decoder.CanRead(outputs, context)) return decoder;
        throw new FormatException($"{Seen(outputs, context, source)} They are not of the format {format}: {decoder.Layout}. "
            + $"{Advice(context)}");
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
        $"With an input of {context.Input} the detector '{source}' gives {string.Join(", ", outputs)}, and its class names are C = "
            + $"{context.Classes}.";

    private static string Advice(DecoderContext context) =>
        $"Is {context.Classes} the number of the detector's own classes? A format that is not listed can be read through the option "
            + $"{nameof(OnnxDetectorOptions.Decoder)}.";
}

/// <summary>Reads outputs by the user's own code.</summary>
internal sealed class CustomDecoder : IOutputDecoder
{
    public OnnxDetectorFormat Format => OnnxDetectorFormat.Custom;

    public string Layout => "whatever the option Decoder reads";

    public bool CanRead(IReadOnlyList<OnnxOutput> outputs, DecoderContext context)
        => context.Options.Decoder is not null;

    public FormatFit Recognise(IReadOnlyList<OnnxOutput> outputs, DecoderContext context) => FormatFit.Certain;

    public void Decode(IReadOnlyList<OnnxOutput> outputs, DecoderContext context, PredictionSink sink)
    {
        OnnxPredictions predictions = context.Options.Decoder!(outputs.ToDictionary(output => output.Name))
            ?? throw new InvalidOperationException(
                "The detector's Decoder gave nothing; an image without predictions is two empty arrays.");
        int count = predictions.Boxes.Length / 4;
        if (predictions.Boxes.Length % 4 != 0 || predictions.Probabilities.Length != count * context.Classes)
        {
            throw new InvalidOperationException(
                $"The detector's Decoder gave {predictions.Boxes.Length} values of boxes and {predictions.Probabilities.Length} "
                    + $"probabilities; "
                + $"N boxes and {context.Classes} classes are 4N and {context.Classes}N values.");
        }

        for (int i = 0; i < count; i++)
        {
            ReadOnlySpan<float> box = predictions.Boxes.AsSpan(4 * i, 4);
            sink.Add(box[0], box[1], box[2], box[3], predictions.Probabilities.AsSpan(i * context.Classes, context.Classes));
        }
    }
}
