using System.Numerics.Tensors;

namespace Microsoft.ML.Distillation.Published.Decoders;

/// <summary>What the number of rows, and their objectness, tell of the network.</summary>
internal enum YoloLayout
{
    /// <summary>Neither: the rows are no whole grid of the usual strides.</summary>
    Unknown,

    /// <summary>One prediction in each cell: YOLOX.</summary>
    OnePerCell,

    /// <summary>One in each cell, all of objectness 1: YOLOv6, which has none and fills the column.</summary>
    WithoutObjectness,

    /// <summary>One for each of a cell's three anchors: YOLOv5 and YOLOv7.</summary>
    ThreePerCell,
}

/// <summary>Rows of box, objectness and classes, as YOLOv5 and YOLOX have them.</summary>
internal static class YoloRows
{
    // Undecoded widths are logarithms of strides: e^10 strides are no box.
    private const float LargestLogarithm = 10;

    /// <summary>Brings a row's box to centre, width and height in pixels, in place.</summary>
    public delegate void BoxDecoder(int cell, Span<float> box);

    /// <summary>The output [N, columns].</summary>
    public static OnnxOutput? Find(IReadOnlyList<OnnxOutput> outputs, int columns)
        => outputs.FirstOrDefault(output => output.Shape.Count == 2 && output.Shape[0] > 0 && output.Shape[1] == columns);

    /// <summary>Whether the boxes of rows are decoded: some width or height is larger than any logarithm of one.</summary>
    public static bool AreInPixels(OnnxOutput rows)
    {
        ReadOnlySpan<float> values = rows.Values.Span;
        for (int at = 0; at < values.Length; at += rows.Shape[1])
        {
            if (values[at + 2] > LargestLogarithm || values[at + 3] > LargestLogarithm) return true;
        }

        return false;
    }

    /// <summary>What the rows tell of the network.</summary>
    public static YoloLayout LayoutOf(OnnxOutput rows, DecoderContext context)
    {
        if (GridLevels.Find(context.Input, rows.Shape[0], 3, context.Options.Strides) is not null) return YoloLayout.ThreePerCell;
        if (GridLevels.Find(context.Input, rows.Shape[0], 1, context.Options.Strides) is null) return YoloLayout.Unknown;
        ReadOnlySpan<float> values = rows.Values.Span;
        for (int at = 4; at < values.Length; at += rows.Shape[1])
        {
            if (values[at] != 1) return YoloLayout.OnePerCell;
        }

        return YoloLayout.WithoutObjectness;
    }

    /// <summary>Reads some of the rows.</summary>
    /// <param name="activation">What turns objectness and classes into probabilities; <see cref="ScoreActivation.Auto"/>: they are.</param>
    public static void Read(OnnxOutput rows, int first, int count, PredictionSink sink, ScoreActivation activation, BoxDecoder decode)
    {
        int columns = rows.Shape[1];
        var probabilities = new float[columns - 5];
        Span<float> box = stackalloc float[4];
        Span<float> objectness = stackalloc float[1];
        for (int i = 0; i < count; i++)
        {
            ReadOnlySpan<float> row = rows.Values.Span.Slice((first + i) * columns, columns);
            objectness[0] = row[4];
            if (activation == ScoreActivation.Sigmoid) ClassScores.Activate(objectness, activation);
            if (!(objectness[0] >= sink.Floor)) continue;
            row[5..].CopyTo(probabilities);
            ClassScores.Activate(probabilities, activation);
            TensorPrimitives.Multiply(probabilities, objectness[0], probabilities);
            row[..4].CopyTo(box);
            decode(i, box);
            sink.AddCentred(box[0], box[1], box[2], box[3], probabilities);
        }
    }
}

// P_c = objectness · class_c; centre, width and height in pixels of the input. The layout of YOLOv5's and YOLOv7's exporters, with three
// predictions in each cell, and of YOLOv6's, with one whose objectness is always 1.

/// <summary>Reads YOLOv5's decoded rows; what is in them stands at the top of the file.</summary>
internal sealed class YoloV5Decoder : IOutputDecoder
{
    public OnnxDetectorFormat Format => OnnxDetectorFormat.YoloV5;

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
        YoloRows.Read(rows, 0, rows.Shape[0], sink, context.Options.Activation, (_, _) => { });
    }
}

// Centre, width and height in pixels of the input, then P_c. There is no objectness. The layout of Ultralytics' exporter for YOLOv8,
// YOLOv9 and YOLO11, where each of the 4 + C values is a row.

/// <summary>Reads YOLOv8's output; what is in it stands at the top of the file.</summary>
internal sealed class YoloV8Decoder : IOutputDecoder
{
    public OnnxDetectorFormat Format => OnnxDetectorFormat.YoloV8;

    public string Layout => "one output [4 + C, N] or [N, 4 + C], boxes in pixels";

    public bool CanRead(IReadOnlyList<OnnxOutput> outputs, DecoderContext context) => Find(outputs, context) is not null;

    public FormatFit Recognise(IReadOnlyList<OnnxOutput> outputs, DecoderContext context)
    {
        OnnxOutput output = Find(outputs, context)!;
        // Boxes of another format have as many rows as their labels or scores.
        bool isOneOfSeveral = outputs.Any(other => other != output && (other.Shape.Count is 1 or 2) && other.Shape[0] == output.Shape[0]);
        if (isOneOfSeveral) return FormatFit.None;
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
            ClassScores.Activate(probabilities, context.Options.Activation);
            sink.AddCentred(values[at], values[at + columnStep], values[at + 2 * columnStep], values[at + 3 * columnStep], probabilities);
        }
    }

    private static OnnxOutput? Find(IReadOnlyList<OnnxOutput> outputs, DecoderContext context) => outputs.FirstOrDefault(output =>
        output.Shape.Count == 2 && (output.Shape[0] == 4 + context.Classes
            || (output.Shape[0] > 0 && output.Shape[1] == 4 + context.Classes)));

    private static int Predictions(OnnxOutput output, DecoderContext context) => output.Shape[IsTransposed(output, context) ? 0 : 1];

    private static bool IsTransposed(OnnxOutput output, DecoderContext context) => output.Shape[0] != 4 + context.Classes;
}

// Of cell (i, j) of stride s:   x = (t_x + j) s,   y = (t_y + i) s,   w = s exp(t_w),   h = s exp(t_h),   P_c = objectness · class_c
//
// Ge et al., YOLOX: Exceeding YOLO Series in 2021 (arXiv 2107.08430); the layout is that of its own exporter. With --decode_in_inference
// the graph has done this itself, and boxes come in pixels. What the network wants to see is the same either way, and not what YOLOv5
// wants.

/// <summary>Reads YOLOX's grids, decoded or not; the formula stands at the top of the file.</summary>
internal sealed class YoloXDecoder : IOutputDecoder
{
    public OnnxDetectorFormat Format => OnnxDetectorFormat.YoloX;

    public string Layout => "one output [cells of strides 8, 16, 32, 5 + C], boxes relative to their cells or in pixels; sees BGR from 0 "
        + "to 255";

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
            YoloRows.Read(rows, 0, rows.Shape[0], sink, context.Options.Activation, (_, _) => { });
            return;
        }

        int first = 0;
        // An image of which all boxes are tiny, in a model without a grid that is known, has nothing to read.
        foreach (int stride in Strides(rows, context) ?? [])
        {
            int across = GridLevels.Across(context.Input.Width, stride), cells = GridLevels.Cells(context.Input, stride);
            YoloRows.Read(rows, first, cells, sink, context.Options.Activation, (cell, box) =>
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

// Detections that need no suppression, one in each row. [N, 6]: x0 y0 x1 y1 in pixels of the input, score, class (YOLOv10, YOLO26, and
// Ultralytics' exporter with nms). [n, 7]: the image's number in the batch, x0 y0 x1 y1, class, score (YOLOv7 with --end2end). Classes
// count from 0; P_class = score, all else is background.

/// <summary>Reads suppressed detections in rows; what is in them stands at the top of the file.</summary>
internal sealed class YoloEndToEndDecoder : IOutputDecoder
{
    public OnnxDetectorFormat Format => OnnxDetectorFormat.YoloEndToEnd;

    public string Layout => "one output [N, 6] (box in pixels, score, class) or [n, 7] (image, box in pixels, class, score)";

    public bool CanRead(IReadOnlyList<OnnxOutput> outputs, DecoderContext context)
        => Rows(outputs) is { } rows && (rows.Columns == 6 || !context.OutputsBatched);

    public FormatFit Recognise(IReadOnlyList<OnnxOutput> outputs, DecoderContext context)
    {
        (ReadOnlyMemory<float> rows, int columns) = Rows(outputs)!.Value;
        ReadOnlySpan<float> values = rows.Span;
        bool any = false;
        for (int at = 0; at < values.Length; at += columns)
        {
            ReadOnlySpan<float> row = values.Slice(at, columns);
            (float score, float label) = ScoreAndClass(row);
            if (score is not (>= 0 and <= 1) || label != MathF.Floor(label) || label < 0 || label >= context.Classes) return FormatFit.None;
            ReadOnlySpan<float> box = Box(row);
            if (box[2] < box[0] || box[3] < box[1]) return FormatFit.None;
            any |= score > 0 && box[2] > 2;
        }

        return any ? FormatFit.Certain : FormatFit.Possible;
    }

    public void Decode(IReadOnlyList<OnnxOutput> outputs, DecoderContext context, PredictionSink sink)
    {
        (ReadOnlyMemory<float> rows, int columns) = Rows(outputs)!.Value;
        var probabilities = new float[context.Classes];
        for (int at = 0; at < rows.Length; at += columns)
        {
            ReadOnlySpan<float> row = rows.Span.Slice(at, columns), box = Box(row);
            (float score, float label) = ScoreAndClass(row);
            score = ClassScores.Activate(score, context.Options.Activation);
            if (!(label >= 0 && label < probabilities.Length))
            {
                sink.AddUnnamed(score, label, first: 0);
                continue;
            }

            probabilities[(int)label] = score;
            sink.Add(box[0], box[1], box[2], box[3], probabilities);
            probabilities[(int)label] = 0;
        }
    }

    /// <summary>The rows.</summary>
    private static (ReadOnlyMemory<float> Values, int Columns)? Rows(IReadOnlyList<OnnxOutput> outputs) => outputs switch
    {
        [{ Shape: [_, 6 or 7] } rows] => (rows.Values, rows.Shape[1]),
        _ => null,
    };

    private static ReadOnlySpan<float> Box(ReadOnlySpan<float> row) => row.Length == 6 ? row[..4] : row[1..5];

    private static (float Score, float Class) ScoreAndClass(ReadOnlySpan<float> row)
        => row.Length == 6 ? (row[4], row[5]) : (row[6], row[5]);
}
