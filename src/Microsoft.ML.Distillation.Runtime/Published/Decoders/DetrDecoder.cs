namespace Microsoft.ML.Distillation.Published.Decoders;

// Boxes: centre, width and height as shares of the input. Logits of C classes and "no object", P = softmax (DETR, Carion et al.,
// ECCV 2020), or of C classes, P_c = σ (RT-DETR, Zhao et al., CVPR 2024; Deformable DETR). In one output [N, 4 + C] the classes have passed
// their sigmoids. RT-DETR's own exporter ends in boxes in pixels, labels from 0 on and scores.
//
// DETR and Deformable DETR want to see ImageNet's mean and deviation, RT-DETR neither. Nothing in the outputs tells Deformable DETR from
// RT-DETR: sigmoids are taken for RT-DETR's, unless the graph takes a pixel_mask, and the other must be named.

/// <summary>Reads DETR's queries; what is in them stands at the top of the file.</summary>
/// <param name="realTime">Whether this is RT-DETR.</param>
internal sealed class DetrDecoder(bool realTime) : IOutputDecoder
{
    public OnnxDetectorFormat Format => realTime ? OnnxDetectorFormat.RtDetr : OnnxDetectorFormat.Detr;

    public string Layout => realTime
        ? "logits [N, C] and boxes [N, 4], or one output [N, 4 + C], centre and size as shares, or boxes [N, 4] in pixels, labels [N], "
            + "scores [N]; sees RGB from 0 to 1"
        : "logits [N, C + 1] or [N, C] and boxes [N, 4], centre and size as shares; sees RGB with ImageNet's mean and deviation";

    public bool CanRead(IReadOnlyList<OnnxOutput> outputs, DecoderContext context)
        => Pair(outputs, context) is not null
            || (realTime && (Joined(outputs, context) is not null || LabelledBoxes.Find(outputs) is not null));

    public FormatFit Recognise(IReadOnlyList<OnnxOutput> outputs, DecoderContext context)
    {
        if (Pair(outputs, context) is { } pair)
        {
            // Hugging Face's DETR, Conditional and Deformable DETR take a mask of what is image and what is padding; RT-DETR does not.
            bool isSigmoid = pair.Scores.Shape[1] == context.Classes;
            bool isRealTime = isSigmoid && !context.Inputs.Any(AuxiliaryInputs.IsMask);
            if (realTime != isRealTime) return FormatFit.None;
            if (pair.Scores.Name.Contains("logit", StringComparison.OrdinalIgnoreCase)) return FormatFit.Certain;
            return ClassScores.AreProbabilities(pair.Scores.Values.Span) ? FormatFit.None : FormatFit.Possible;
        }

        if (Joined(outputs, context) is { } joined) return AreShares(joined) ? FormatFit.Certain : FormatFit.None;
        if (TensorFlowDecoder.HasItsNames(outputs) || !context.OutputsBatched) return FormatFit.None;
        return BoxUnits.Of(LabelledBoxes.Find(outputs)!.Boxes) switch
        {
            BoxUnit.Pixels => FormatFit.Certain,
            BoxUnit.Unknown => FormatFit.Possible,
            _ => FormatFit.None,
        };
    }

    public void Decode(IReadOnlyList<OnnxOutput> outputs, DecoderContext context, PredictionSink sink)
    {
        ScoreActivation activation = context.Options.Activation;
        if (Pair(outputs, context) is { } pair)
        {
            bool hasNone = pair.Scores.Shape[1] > context.Classes;
            if (activation == ScoreActivation.Auto) activation = hasNone ? ScoreActivation.Softmax : ScoreActivation.Sigmoid;
            Read(pair.Boxes, 0, pair.Scores, 0, activation, context, sink);
            return;
        }

        if (Joined(outputs, context) is { } rows)
            Read(rows, 0, rows, 4, activation == ScoreActivation.Auto ? ScoreActivation.None : activation, context, sink);
        else
            LabelledBoxes.Find(outputs)!.Read(context, sink, context.Options.FirstLabel ?? 0);
    }

    private static void Read(
        OnnxOutput boxes, int boxColumn, OnnxOutput scores, int scoreColumn, ScoreActivation activation, DecoderContext context,
        PredictionSink sink)
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

    private (OnnxOutput Boxes, OnnxOutput Scores)? Pair(IReadOnlyList<OnnxOutput> outputs, DecoderContext context)
        => BoxesAndScores.Find(outputs, context, background: realTime ? 0 : 1);

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
