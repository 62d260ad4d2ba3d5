namespace Microsoft.ML.Distillation.Teachers.OnnxDetectors.Decoders;

// Boxes y0 x0 y1 x1 as shares of the input, labels from 1 on (as floats), scores: the outputs of TensorFlow's object detection models, which
// keep their names through the conversion to ONNX. Further outputs, as num_detections and raw_detection_boxes, are not read.

/// <summary>Reads the detections that TensorFlow's models export; what is in them stands at the top of the file.</summary>
internal sealed class TensorFlowDecoder : IOutputDecoder
{
    private static readonly string[] Names = ["detection_boxes", "detection_classes", "detection_scores"];

    public TeacherFormat Format => TeacherFormat.TensorFlow;

    public string Layout => "detection_boxes [N, 4] (y0 x0 y1 x1 as shares), detection_classes [N], detection_scores [N]; sees RGB from 0 to 255";

    public bool CanRead(IReadOnlyList<OnnxOutput> outputs, DecoderContext context) => Find(outputs) is not null;

    public FormatFit Recognise(IReadOnlyList<OnnxOutput> outputs, DecoderContext context)
        => HasItsNames(outputs) ? FormatFit.Certain : FormatFit.None;

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
