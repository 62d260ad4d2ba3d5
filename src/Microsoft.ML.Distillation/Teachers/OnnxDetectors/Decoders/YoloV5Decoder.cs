namespace Microsoft.ML.Distillation.Teachers.OnnxDetectors.Decoders;

// P_c = objectness · class_c; centre, width and height in pixels of the input. The layout of YOLOv5's and YOLOv7's exporters, with three
// predictions in each cell, and of YOLOv6's, with one whose objectness is always 1.

/// <summary>Reads YOLOv5's decoded rows; what is in them stands at the top of the file.</summary>
internal sealed class YoloV5Decoder : IOutputDecoder
{
    public TeacherFormat Format => TeacherFormat.YoloV5;

    public string Layout => "one output [N, 5 + C], boxes in pixels; sees RGB from 0 to 1";

    public bool CanRead(IReadOnlyList<OnnxOutput> outputs, DecoderContext context)
        => YoloRows.Find(outputs, 5 + context.Classes) is not null;

    public FormatFit Recognise(IReadOnlyList<OnnxOutput> outputs, DecoderContext context)
    {
        OnnxOutput rows = YoloRows.Find(outputs, 5 + context.Classes)!;
        return YoloRows.LayoutOf(rows, context) switch
        {
            YoloLayout.OnePerCell when YoloRows.AreInPixels(rows) => FormatFit.None,
            YoloLayout.ThreePerCell or YoloLayout.WithoutObjectness when YoloRows.AreInPixels(rows) => FormatFit.Certain,
            _ => FormatFit.Possible,
        };
    }

    public void Decode(IReadOnlyList<OnnxOutput> outputs, DecoderContext context, PredictionSink sink)
    {
        OnnxOutput rows = YoloRows.Find(outputs, 5 + context.Classes)!;
        YoloRows.Read(rows, 0, rows.Shape[0], sink, (_, _) => { });
    }
}
