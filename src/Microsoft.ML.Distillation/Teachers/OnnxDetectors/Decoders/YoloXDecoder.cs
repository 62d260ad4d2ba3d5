namespace Microsoft.ML.Distillation.Teachers.OnnxDetectors.Decoders;

// Of cell (i, j) of stride s:   x = (t_x + j) s,   y = (t_y + i) s,   w = s exp(t_w),   h = s exp(t_h),   P_c = objectness · class_c
//
// Ge et al., YOLOX: Exceeding YOLO Series in 2021 (arXiv 2107.08430); the layout is that of its own exporter without --decode_in_inference.

/// <summary>Reads YOLOX's undecoded grids; the formula stands at the top of the file.</summary>
internal sealed class YoloXDecoder : IOutputDecoder
{
    public TeacherFormat Format => TeacherFormat.YoloX;

    public string Layout => "one output [cells of strides 8, 16, 32, 5 + C], boxes relative to their cells";

    public bool CanRead(IReadOnlyList<OnnxOutput> outputs, DecoderContext context)
        => YoloRows.Find(outputs, 5 + context.Classes) is { } rows && Strides(rows, context) is not null;

    public FormatFit Recognise(IReadOnlyList<OnnxOutput> outputs, DecoderContext context)
        => YoloRows.AreInPixels(YoloRows.Find(outputs, 5 + context.Classes)!) ? FormatFit.None : FormatFit.Certain;

    public void Decode(IReadOnlyList<OnnxOutput> outputs, DecoderContext context, PredictionSink sink)
    {
        OnnxOutput rows = YoloRows.Find(outputs, 5 + context.Classes)!;
        int first = 0;
        foreach (int stride in Strides(rows, context)!)
        {
            int across = GridLevels.Across(context.Input.Width, stride), cells = GridLevels.Cells(context.Input, stride);
            YoloRows.Read(rows, first, cells, sink, (cell, box) =>
            {
                box[0] = (box[0] + cell % across) * stride;
                box[1] = (box[1] + cell / across) * stride;
                box[2] = MathF.Exp(box[2]) * stride;
                box[3] = MathF.Exp(box[3]) * stride;
            });
            first += cells;
        }
    }

    private static IReadOnlyList<int>? Strides(OnnxOutput rows, DecoderContext context)
        => GridLevels.Find(context.Input, rows.Shape[0], 1, context.Options.Strides);
}
