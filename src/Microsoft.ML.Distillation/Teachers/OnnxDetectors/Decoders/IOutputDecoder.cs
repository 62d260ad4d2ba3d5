using Microsoft.ML.Distillation.Data;

namespace Microsoft.ML.Distillation.Teachers.OnnxDetectors.Decoders;

/// <summary>What a decoder has to know beside the outputs.</summary>
/// <param name="Input">The size of the model's input.</param>
/// <param name="ClassNames">The model's classes.</param>
/// <param name="OutputsBatched">Whether the model's outputs have a batch's axis (which the decoder does not see).</param>
internal sealed record DecoderContext(ImageSize Input, IReadOnlyList<string> ClassNames, OnnxTeacherOptions Options, bool OutputsBatched)
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
    TeacherFormat Format { get; }

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
