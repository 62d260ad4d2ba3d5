using Microsoft.ML.Distillation.Images;

namespace Microsoft.ML.Distillation.Published.Decoders;

/// <summary>What a decoder has to know beside the outputs.</summary>
/// <param name="Input">The size of the model's input.</param>
/// <param name="ClassNames">The model's classes.</param>
/// <param name="OutputsBatched">Whether the model's outputs have a batch's axis (which the decoder does not see).</param>
internal sealed record DecoderContext(ImageSize Input, IReadOnlyList<string> ClassNames, OnnxDetectorOptions Options, bool OutputsBatched)
{
    /// <summary>The names of the graph's inputs.</summary>
    public IReadOnlyList<string> Inputs { get; init; } = [];

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

    /// <summary>The graph has the names that only one exporter gives.</summary>
    Named,
}

/// <summary>Reads the outputs of one family of detectors.</summary>
internal interface IOutputDecoder
{
    /// <summary>The format that it reads.</summary>
    OnnxDetectorFormat Format { get; }

    /// <summary>The outputs of the format, for messages.</summary>
    string Layout { get; }

    /// <summary>Whether the model is known to have dropped what it found twice, so that nothing is suppressed any more.</summary>
    bool IsSuppressed => false;

    /// <summary>Whether outputs have the shapes of this format.</summary>
    bool CanRead(IReadOnlyList<OnnxOutput> outputs, DecoderContext context);

    /// <summary>How surely outputs that can be read are of this format, by their names and values.</summary>
    /// <param name="outputs">The model's outputs for one image, in which there may be nothing to tell by.</param>
    FormatFit Recognise(IReadOnlyList<OnnxOutput> outputs, DecoderContext context);

    /// <summary>Reads one image's outputs.</summary>
    void Decode(IReadOnlyList<OnnxOutput> outputs, DecoderContext context, PredictionSink sink);
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
