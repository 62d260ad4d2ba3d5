namespace Microsoft.ML.Distillation.Teachers.OnnxDetectors.Decoders;

/// <summary>Reads outputs by the user's own code.</summary>
internal sealed class CustomDecoder : IOutputDecoder
{
    public TeacherFormat Format => TeacherFormat.Custom;

    public string Layout => "whatever the option Decoder reads";

    public bool CanRead(IReadOnlyList<OnnxOutput> outputs, DecoderContext context)
        => context.Options.Decoder is not null;

    public FormatFit Recognise(IReadOnlyList<OnnxOutput> outputs, DecoderContext context) => FormatFit.Certain;

    public void Decode(IReadOnlyList<OnnxOutput> outputs, DecoderContext context, PredictionSink sink)
    {
        TeacherPredictions predictions = context.Options.Decoder!(outputs.ToDictionary(output => output.Name))
            ?? throw new InvalidOperationException("The teacher's Decoder gave nothing; an image without predictions is two empty arrays.");
        int count = predictions.Boxes.Length / 4;
        if (predictions.Boxes.Length % 4 != 0 || predictions.Probabilities.Length != count * context.Classes)
        {
            throw new InvalidOperationException(
                $"The teacher's Decoder gave {predictions.Boxes.Length} values of boxes and {predictions.Probabilities.Length} probabilities; "
                + $"N boxes and {context.Classes} classes are 4N and {context.Classes}N values.");
        }

        for (int i = 0; i < count; i++)
        {
            ReadOnlySpan<float> box = predictions.Boxes.AsSpan(4 * i, 4);
            sink.Add(box[0], box[1], box[2], box[3], predictions.Probabilities.AsSpan(i * context.Classes, context.Classes));
        }
    }
}
