namespace Microsoft.ML.Distillation.Teachers.OnnxDetectors.Decoders;

// Centre, width and height in pixels of the input, then P_c. There is no objectness. The layout of Ultralytics' exporter for YOLOv8,
// YOLOv9 and YOLO11, where each of the 4 + C values is a row.

/// <summary>Reads YOLOv8's output; what is in it stands at the top of the file.</summary>
internal sealed class YoloV8Decoder : IOutputDecoder
{
    public TeacherFormat Format => TeacherFormat.YoloV8;

    public string Layout => "one output [4 + C, N] or [N, 4 + C], boxes in pixels";

    public bool CanRead(IReadOnlyList<OnnxOutput> outputs, DecoderContext context) => Find(outputs, context) is not null;

    public FormatFit Recognise(IReadOnlyList<OnnxOutput> outputs, DecoderContext context)
    {
        OnnxOutput output = Find(outputs, context)!;
        bool isGrid = GridLevels.Find(context.Input, Predictions(output, context), 1, context.Options.Strides) is not null;
        return isGrid || !IsTransposed(output, context) ? FormatFit.Certain : FormatFit.Possible;
    }

    public void Decode(IReadOnlyList<OnnxOutput> outputs, DecoderContext context, PredictionSink sink)
    {
        OnnxOutput output = Find(outputs, context)!;
        int predictions = Predictions(output, context), columns = 4 + context.Classes;
        (int step, int columnStep) = IsTransposed(output, context) ? (columns, 1) : (1, predictions);
        ReadOnlySpan<float> values = output.Values.Span;
        var probabilities = new float[context.Classes];
        for (int i = 0; i < predictions; i++)
        {
            int at = i * step;
            for (int c = 0; c < probabilities.Length; c++) probabilities[c] = values[at + (4 + c) * columnStep];
            sink.AddCentred(values[at], values[at + columnStep], values[at + 2 * columnStep], values[at + 3 * columnStep], probabilities);
        }
    }

    private static OnnxOutput? Find(IReadOnlyList<OnnxOutput> outputs, DecoderContext context) => outputs.FirstOrDefault(output =>
        output.Shape.Count == 2 && (output.Shape[0] == 4 + context.Classes || (output.Shape[0] > 0 && output.Shape[1] == 4 + context.Classes)));

    private static int Predictions(OnnxOutput output, DecoderContext context) => output.Shape[IsTransposed(output, context) ? 0 : 1];

    private static bool IsTransposed(OnnxOutput output, DecoderContext context) => output.Shape[0] != 4 + context.Classes;
}
