namespace Microsoft.ML.Distillation.Published.Decoders;

/// <summary>Boxes [N,4], one label and one score each: P_label = score, all else is background. The detector has suppressed what it found
/// twice.</summary>
/// <param name="Boxes">x0 y0 x1 y1, in pixels of the input or in shares of it.</param>
internal sealed record LabelledBoxes(OnnxOutput Boxes, OnnxOutput Labels, OnnxOutput Scores)
{
    /// <summary>Finds the three; <see langword="null"/> where there are others.</summary>
    public static LabelledBoxes? Find(IReadOnlyList<OnnxOutput> outputs)
    {
        OnnxOutput? boxes = outputs.FirstOrDefault(output => output.Shape.Count == 2 && output.Shape[1] == 4);
        OnnxOutput[] lists = [.. outputs
            .Where(output => output.Shape.Count == 1 && boxes is not null && output.Shape[0] == boxes.Shape[0])];
        OnnxOutput? labels = lists.FirstOrDefault(output => output.IsInteger)
            ?? lists.FirstOrDefault(output => Named(output, "label", "class"));
        OnnxOutput? scores = lists.FirstOrDefault(output => output != labels && !output.IsInteger);
        return boxes is null || labels is null || scores is null ? null : new LabelledBoxes(boxes, labels, scores);
    }

    /// <summary>Reads them.</summary>
    /// <param name="firstLabel">The label of the first class.</param>
    /// <param name="rowsFirst">Whether boxes are y0 x0 y1 x1.</param>
    public void Read(DecoderContext context, PredictionSink sink, int firstLabel, bool rowsFirst = false)
    {
        bool shares = BoxUnits.Of(Boxes) == BoxUnit.Shares;
        (float width, float height) = shares ? (context.Input.Width, context.Input.Height) : (1, 1);
        (int x, int y) = rowsFirst ? (1, 0) : (0, 1);
        var probabilities = new float[context.Classes];
        for (int i = 0; i < Scores.Shape[0]; i++)
        {
            float given = Labels.Values.Span[i], score = ClassScores.Activate(Scores.Values.Span[i], context.Options.Activation);
            // A detector may know labels that the names leave out, as torchvision's of COCO do at the end of their list.
            if (!(given - firstLabel >= 0 && given - firstLabel < probabilities.Length))
            {
                sink.AddUnnamed(score, given, firstLabel);
                continue;
            }

            int label = (int)given - firstLabel;
            ReadOnlySpan<float> box = Boxes.Values.Span.Slice(4 * i, 4);
            probabilities[label] = score;
            sink.Add(box[x] * width, box[y] * height, box[x + 2] * width, box[y + 2] * height, probabilities);
            probabilities[label] = 0;
        }
    }

    /// <summary>The label of the first class where nobody says: 0 where the names begin with background, else 1.</summary>
    public static int FirstLabel(DecoderContext context)
        => context.Options.FirstLabel ?? (context.ClassNames[0].Contains("background", StringComparison.OrdinalIgnoreCase) ? 0 : 1);

    private static bool Named(OnnxOutput output, params ReadOnlySpan<string> words)
    {
        foreach (string word in words)
        {
            if (output.Name.Contains(word, StringComparison.OrdinalIgnoreCase)) return true;
        }

        return false;
    }
}

// Boxes x0 y0 x1 y1 in pixels of the input, one label and one score each. Shares, which none of torchvision's detectors gives, are seen to
// be shares and read as such.

/// <summary>Reads the detections that torchvision's models export; what is in them stands at the top of the file.</summary>
internal sealed class TorchvisionDecoder : IOutputDecoder
{
    public OnnxDetectorFormat Format => OnnxDetectorFormat.Torchvision;

    public string Layout => "boxes [N, 4] in pixels, labels [N], scores [N]; sees RGB from 0 to 1 at the top left";

    public bool CanRead(IReadOnlyList<OnnxOutput> outputs, DecoderContext context)
        => LabelledBoxes.Find(outputs) is not null;

    public FormatFit Recognise(IReadOnlyList<OnnxOutput> outputs, DecoderContext context)
    {
        if (TensorFlowDecoder.HasItsNames(outputs)) return FormatFit.None;
        BoxUnit unit = BoxUnits.Of(LabelledBoxes.Find(outputs)!.Boxes);
        // Torchvision's outputs have no batch's axis, and of a grey image it often says nothing.
        if (context.OutputsBatched) return unit == BoxUnit.Unknown ? FormatFit.Possible : FormatFit.None;
        return unit == BoxUnit.Shares ? FormatFit.None : FormatFit.Certain;
    }

    public void Decode(IReadOnlyList<OnnxOutput> outputs, DecoderContext context, PredictionSink sink)
        => LabelledBoxes.Find(outputs)!
            .Read(context, sink, context.Options.FirstLabel is null && context.OutputsBatched ? 0 : LabelledBoxes.FirstLabel(context));
}

// Boxes y0 x0 y1 x1 as shares of the input, labels from 1 on (as floats), scores: the outputs of TensorFlow's object detection models,
// which keep their names through the conversion to ONNX. Further outputs, as num_detections and raw_detection_boxes, are not read.

/// <summary>Reads the detections that TensorFlow's models export; what is in them stands at the top of the file.</summary>
internal sealed class TensorFlowDecoder : IOutputDecoder
{
    private static readonly string[] Names = ["detection_boxes", "detection_classes", "detection_scores"];

    public OnnxDetectorFormat Format => OnnxDetectorFormat.TensorFlow;

    public string Layout => "detection_boxes [N, 4] (y0 x0 y1 x1 as shares), detection_classes [N], detection_scores [N]; sees RGB from 0 "
        + "to 255";

    public bool CanRead(IReadOnlyList<OnnxOutput> outputs, DecoderContext context) => Find(outputs) is not null;

    public FormatFit Recognise(IReadOnlyList<OnnxOutput> outputs, DecoderContext context)
        => HasItsNames(outputs) ? FormatFit.Named : FormatFit.None;

    public void Decode(IReadOnlyList<OnnxOutput> outputs, DecoderContext context, PredictionSink sink)
        => Find(outputs)!.Read(context, sink, LabelledBoxes.FirstLabel(context), rowsFirst: true);

    /// <summary>Whether outputs are called as TensorFlow calls them.</summary>
    public static bool HasItsNames(IReadOnlyList<OnnxOutput> outputs) => Names.All(name => Named(outputs, name) is not null);

    private static LabelledBoxes? Find(IReadOnlyList<OnnxOutput> outputs) => HasItsNames(outputs)
        ? LabelledBoxes.Find([.. Names.Select(name => Named(outputs, name)!)])
        : LabelledBoxes.Find(outputs);

    // Converters append ":0" and the like.
    private static OnnxOutput? Named(IReadOnlyList<OnnxOutput> outputs, string name)
        => outputs.FirstOrDefault(output => output.Name.Split(':')[0].Equals(name, StringComparison.OrdinalIgnoreCase));
}
