namespace Microsoft.ML.Distillation.Teachers.OnnxDetectors.Decoders;

// Of cell (i, j) of stride s:   x = (t_x + j) s,   y = (t_y + i) s,   w = s exp(t_w),   h = s exp(t_h),   P_c = objectness · class_c
//
// Ge et al., YOLOX: Exceeding YOLO Series in 2021 (arXiv 2107.08430); the layout is that of its own exporter. With --decode_in_inference
// the graph has done this itself, and boxes come in pixels. What the network wants to see is the same either way, and not what YOLOv5 wants.

/// <summary>Reads YOLOX's grids, decoded or not; the formula stands at the top of the file.</summary>
internal sealed class YoloXDecoder : IOutputDecoder
{
    public TeacherFormat Format => TeacherFormat.YoloX;

    public string Layout => "one output [cells of strides 8, 16, 32, 5 + C], boxes relative to their cells or in pixels; sees BGR from 0 to 255";

    public bool CanRead(IReadOnlyList<OnnxOutput> outputs, DecoderContext context)
        => YoloRows.Find(outputs, 5 + context.Classes) is { } rows && (YoloRows.AreInPixels(rows) || Strides(rows, context) is not null);

    public FormatFit Recognise(IReadOnlyList<OnnxOutput> outputs, DecoderContext context)
    {
        OnnxOutput rows = YoloRows.Find(outputs, 5 + context.Classes)!;
        if (!YoloRows.AreInPixels(rows)) return FormatFit.Certain;
        return YoloRows.LayoutOf(rows, context) switch
        {
            YoloLayout.OnePerCell => FormatFit.Certain,
            YoloLayout.Unknown => FormatFit.Possible,
            _ => FormatFit.None,
        };
    }

    public void Decode(IReadOnlyList<OnnxOutput> outputs, DecoderContext context, PredictionSink sink)
    {
        OnnxOutput rows = YoloRows.Find(outputs, 5 + context.Classes)!;
        if (YoloRows.AreInPixels(rows))
        {
            YoloRows.Read(rows, 0, rows.Shape[0], sink, (_, _) => { });
            return;
        }

        int first = 0;
        // An image of which all boxes are tiny, in a model without a grid that is known, has nothing to read.
        foreach (int stride in Strides(rows, context) ?? [])
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
