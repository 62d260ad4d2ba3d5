namespace Microsoft.ML.Distillation.Teachers.OnnxDetectors.Decoders;

// Boxes x0 y0 x1 y1 as shares of the input; scores of C classes, or of background and C classes.
// Outputs that are no probabilities pass a softmax where there is a background, and sigmoids where there is none.

/// <summary>Reads SSD-like pairs of boxes and scores; what is in them stands at the top of the file.</summary>
internal sealed class SsdDecoder : IOutputDecoder
{
    public TeacherFormat Format => TeacherFormat.Ssd;

    public string Layout => "boxes [N, 4] as shares and scores [N, C + 1] or [N, C]";

    public bool CanRead(IReadOnlyList<OnnxOutput> outputs, DecoderContext context)
        => BoxesAndScores.Find(outputs, context, background: 1) is not null;

    public FormatFit Recognise(IReadOnlyList<OnnxOutput> outputs, DecoderContext context)
    {
        string name = BoxesAndScores.Find(outputs, context, background: 1)!.Value.Scores.Name.ToUpperInvariant();
        if (name.Contains("LOGIT", StringComparison.Ordinal)) return FormatFit.None;
        string[] telling = ["SCORE", "CONF", "PROB"];
        return telling.Any(word => name.Contains(word, StringComparison.Ordinal)) ? FormatFit.Certain : FormatFit.Possible;
    }

    public void Decode(IReadOnlyList<OnnxOutput> outputs, DecoderContext context, PredictionSink sink)
    {
        (OnnxOutput boxes, OnnxOutput scores) = BoxesAndScores.Find(outputs, context, background: 1)!.Value;
        int columns = scores.Shape[1], background = columns - context.Classes;
        ScoreActivation activation = context.Options.Activation;
        if (activation == ScoreActivation.Auto && !ClassScores.AreProbabilities(scores.Values.Span))
            activation = background == 1 ? ScoreActivation.Softmax : ScoreActivation.Sigmoid;

        (float width, float height) = (context.Input.Width, context.Input.Height);
        var row = new float[columns];
        for (int i = 0; i < scores.Shape[0]; i++)
        {
            scores.Values.Span.Slice(i * columns, columns).CopyTo(row);
            ClassScores.Activate(row, activation);
            ReadOnlySpan<float> box = boxes.Values.Span.Slice(4 * i, 4);
            sink.Add(box[0] * width, box[1] * height, box[2] * width, box[3] * height, row.AsSpan(background));
        }
    }
}
