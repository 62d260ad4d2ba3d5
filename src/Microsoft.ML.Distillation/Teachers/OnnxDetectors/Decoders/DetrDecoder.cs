namespace Microsoft.ML.Distillation.Teachers.OnnxDetectors.Decoders;

// Boxes: centre, width and height as shares of the input. Logits of C classes and "no object", P = softmax (DETR, Carion et al.,
// ECCV 2020), or of C classes, P_c = σ (Deformable DETR, RT-DETR). In one output [N, 4 + C] the classes have passed their sigmoids.

/// <summary>Reads DETR's queries; what is in them stands at the top of the file.</summary>
internal sealed class DetrDecoder : IOutputDecoder
{
    public TeacherFormat Format => TeacherFormat.Detr;

    public string Layout => "logits [N, C + 1] or [N, C] and boxes [N, 4], or one output [N, 4 + C], centre and size as shares";

    public bool CanRead(IReadOnlyList<OnnxOutput> outputs, DecoderContext context)
        => BoxesAndScores.Find(outputs, context, background: 1) is not null || Joined(outputs, context) is not null;

    public FormatFit Recognise(IReadOnlyList<OnnxOutput> outputs, DecoderContext context)
    {
        if (BoxesAndScores.Find(outputs, context, background: 1) is { } pair)
        {
            if (pair.Scores.Name.Contains("logit", StringComparison.OrdinalIgnoreCase)) return FormatFit.Certain;
            return ClassScores.AreProbabilities(pair.Scores.Values.Span) ? FormatFit.None : FormatFit.Possible;
        }

        return AreShares(Joined(outputs, context)!) ? FormatFit.Certain : FormatFit.None;
    }

    public void Decode(IReadOnlyList<OnnxOutput> outputs, DecoderContext context, PredictionSink sink)
    {
        ScoreActivation activation = context.Options.Activation;
        if (BoxesAndScores.Find(outputs, context, background: 1) is { } pair)
        {
            bool hasNone = pair.Scores.Shape[1] > context.Classes;
            if (activation == ScoreActivation.Auto) activation = hasNone ? ScoreActivation.Softmax : ScoreActivation.Sigmoid;
            Read(pair.Boxes, 0, pair.Scores, 0, activation, context, sink);
            return;
        }

        OnnxOutput rows = Joined(outputs, context)!;
        Read(rows, 0, rows, 4, activation == ScoreActivation.Auto ? ScoreActivation.None : activation, context, sink);
    }

    private static void Read(
        OnnxOutput boxes, int boxColumn, OnnxOutput scores, int scoreColumn, ScoreActivation activation, DecoderContext context, PredictionSink sink)
    {
        (float width, float height) = (context.Input.Width, context.Input.Height);
        int columns = scores.Shape[1] - scoreColumn;
        var row = new float[columns];
        for (int i = 0; i < scores.Shape[0]; i++)
        {
            scores.Values.Span.Slice(i * scores.Shape[1] + scoreColumn, columns).CopyTo(row);
            ClassScores.Activate(row, activation);
            ReadOnlySpan<float> box = boxes.Values.Span.Slice(i * boxes.Shape[1] + boxColumn, 4);
            sink.AddCentred(box[0] * width, box[1] * height, box[2] * width, box[3] * height, row.AsSpan(0, context.Classes));
        }
    }

    private static OnnxOutput? Joined(IReadOnlyList<OnnxOutput> outputs, DecoderContext context)
        => YoloRows.Find(outputs, 4 + context.Classes);

    private static bool AreShares(OnnxOutput rows)
    {
        ReadOnlySpan<float> values = rows.Values.Span;
        for (int at = 0; at < values.Length; at += rows.Shape[1])
        {
            if (!ClassScores.AreProbabilities(values.Slice(at, 4))) return false;
        }

        return true;
    }
}
