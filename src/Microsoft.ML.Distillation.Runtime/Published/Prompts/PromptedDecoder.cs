using Microsoft.ML.Distillation.Published.Decoders;

namespace Microsoft.ML.Distillation.Published.Prompts;

/// <summary>Reads what <see cref="PromptedRunner"/> gives: of several phrases of a class the best counts.</summary>
/// <param name="format">The family.</param>
/// <param name="classOf">For each phrase the index of its class.</param>
internal sealed class PromptedDecoder(OnnxDetectorFormat format, int[] classOf) : IOutputDecoder
{
    /// <summary>The outputs' names: boxes [N,4], x0 y0 x1 y1 in pixels of the input, and scores [N,P] of the phrases.</summary>
    public const string Boxes = "boxes", Scores = "scores";

    public OnnxDetectorFormat Format => format;

    public string Layout => "boxes and the scores of phrases";

    public bool CanRead(IReadOnlyList<OnnxOutput> outputs, DecoderContext context) => true;

    public FormatFit Recognise(IReadOnlyList<OnnxOutput> outputs, DecoderContext context) => FormatFit.Named;

    public void Decode(IReadOnlyList<OnnxOutput> outputs, DecoderContext context, PredictionSink sink)
    {
        ReadOnlySpan<float> boxes = outputs.First(output => output.Name == Boxes).Values.Span;
        ReadOnlySpan<float> scores = outputs.First(output => output.Name == Scores).Values.Span;
        var row = new float[context.Classes];
        for (int i = 0; i < boxes.Length / 4; i++)
        {
            Array.Clear(row);
            for (int phrase = 0; phrase < classOf.Length; phrase++)
                row[classOf[phrase]] = Math.Max(row[classOf[phrase]], scores[i * classOf.Length + phrase]);
            ReadOnlySpan<float> box = boxes.Slice(4 * i, 4);
            sink.Add(box[0], box[1], box[2], box[3], row);
        }
    }
}
