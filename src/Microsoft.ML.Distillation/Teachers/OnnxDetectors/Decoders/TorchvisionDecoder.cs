namespace Microsoft.ML.Distillation.Teachers.OnnxDetectors.Decoders;

// Boxes x0 y0 x1 y1 in pixels of the input, one label and one score each: P_label = score, all else is background. The detector has
// suppressed what it found twice.

/// <summary>Reads the detections that torchvision's models export; what is in them stands at the top of the file.</summary>
internal sealed class TorchvisionDecoder : IOutputDecoder
{
    public TeacherFormat Format => TeacherFormat.Torchvision;

    public string Layout => "boxes [N, 4] in pixels, labels [N], scores [N]";

    public bool CanRead(IReadOnlyList<OnnxOutput> outputs, DecoderContext context)
        => Find(outputs) is not null;

    public FormatFit Recognise(IReadOnlyList<OnnxOutput> outputs, DecoderContext context) => FormatFit.Certain;

    public void Decode(IReadOnlyList<OnnxOutput> outputs, DecoderContext context, PredictionSink sink)
    {
        (OnnxOutput boxes, OnnxOutput labels, OnnxOutput scores) = Find(outputs)!.Value;
        int firstLabel = context.Options.FirstLabel ?? FirstLabel(context);
        var probabilities = new float[context.Classes];
        for (int i = 0; i < scores.Shape[0]; i++)
        {
            int label = (int)labels.Values.Span[i] - firstLabel;
            // A detector may know labels that the names leave out, as torchvision's of COCO do at the end of their list.
            if (label < 0 || label >= probabilities.Length) continue;
            ReadOnlySpan<float> box = boxes.Values.Span.Slice(4 * i, 4);
            probabilities[label] = scores.Values.Span[i];
            sink.Add(box[0], box[1], box[2], box[3], probabilities);
            probabilities[label] = 0;
        }
    }

    private static int FirstLabel(DecoderContext context)
    {
        bool listsBackground = context.ClassNames[0].Contains("background", StringComparison.OrdinalIgnoreCase);
        return listsBackground || context.OutputsBatched ? 0 : 1;
    }

    private static (OnnxOutput Boxes, OnnxOutput Labels, OnnxOutput Scores)? Find(IReadOnlyList<OnnxOutput> outputs)
    {
        OnnxOutput? boxes = outputs.FirstOrDefault(output => output.Shape.Count == 2 && output.Shape[1] == 4);
        OnnxOutput[] lists = [.. outputs.Where(output => output.Shape.Count == 1 && boxes is not null && output.Shape[0] == boxes.Shape[0])];
        OnnxOutput? labels = lists.FirstOrDefault(output => output.IsInteger) ?? lists.FirstOrDefault(output => Named(output, "label", "class"));
        OnnxOutput? scores = lists.FirstOrDefault(output => output != labels && !output.IsInteger);
        return boxes is null || labels is null || scores is null ? null : (boxes, labels, scores);
    }

    private static bool Named(OnnxOutput output, params ReadOnlySpan<string> words)
    {
        foreach (string word in words)
        {
            if (output.Name.Contains(word, StringComparison.OrdinalIgnoreCase)) return true;
        }

        return false;
    }
}
