namespace Microsoft.ML.Distillation.Teachers.OnnxDetectors.Decoders;

// Boxes x0 y0 x1 y1 as shares of the input; scores of C classes, or of background and C classes.
// Outputs that are no probabilities pass a softmax where there is a background, and sigmoids where there is none. Models that end in
// suppressed detections, as the ONNX model zoo's, give boxes, labels from 1 on and scores instead.

/// <summary>Reads SSD-like pairs of boxes and scores; what is in them stands at the top of the file.</summary>
internal sealed class SsdDecoder : IOutputDecoder
{
    public TeacherFormat Format => TeacherFormat.Ssd;

    public string Layout => "boxes [N, 4] as shares and scores [N, C + 1] or [N, C], or labels [N] and scores [N]";

    public bool CanRead(IReadOnlyList<OnnxOutput> outputs, DecoderContext context)
        => BoxesAndScores.Find(outputs, context, background: 1) is not null || LabelledBoxes.Find(outputs) is not null;

    public FormatFit Recognise(IReadOnlyList<OnnxOutput> outputs, DecoderContext context)
    {
        if (BoxesAndScores.Find(outputs, context, background: 1) is not { } pair) return Recognise(LabelledBoxes.Find(outputs)!, outputs, context);
        string name = pair.Scores.Name.ToUpperInvariant();
        if (name.Contains("LOGIT", StringComparison.Ordinal)) return FormatFit.None;
        string[] telling = ["SCORE", "CONF", "PROB"];
        return telling.Any(word => name.Contains(word, StringComparison.Ordinal)) ? FormatFit.Certain : FormatFit.Possible;
    }

    public void Decode(IReadOnlyList<OnnxOutput> outputs, DecoderContext context, PredictionSink sink)
    {
        if (BoxesAndScores.Find(outputs, context, background: 1) is not { } pair)
        {
            LabelledBoxes.Find(outputs)!.Read(context, sink, LabelledBoxes.FirstLabel(context));
            return;
        }

        (OnnxOutput boxes, OnnxOutput scores) = pair;
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

    private static FormatFit Recognise(LabelledBoxes labelled, IReadOnlyList<OnnxOutput> outputs, DecoderContext context)
    {
        if (TensorFlowDecoder.HasItsNames(outputs)) return FormatFit.None;
        return BoxUnits.Of(labelled.Boxes) switch
        {
            BoxUnit.Shares => FormatFit.Certain,
            BoxUnit.Pixels => FormatFit.None,
            _ => context.OutputsBatched ? FormatFit.Possible : FormatFit.None,
        };
    }
}
