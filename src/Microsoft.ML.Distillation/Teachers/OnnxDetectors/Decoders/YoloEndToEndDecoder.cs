namespace Microsoft.ML.Distillation.Teachers.OnnxDetectors.Decoders;

// Detections that need no suppression, one in each row. [N, 6]: x0 y0 x1 y1 in pixels of the input, score, class (YOLOv10, YOLO26, and
// Ultralytics' exporter with nms). [n, 7]: the image's number in the batch, x0 y0 x1 y1, class, score (YOLOv7 with --end2end). Classes count
// from 0; P_class = score, all else is background.

/// <summary>Reads suppressed detections in rows; what is in them stands at the top of the file.</summary>
internal sealed class YoloEndToEndDecoder : IOutputDecoder
{
    public TeacherFormat Format => TeacherFormat.YoloEndToEnd;

    public string Layout => "one output [N, 6] (box in pixels, score, class) or [n, 7] (image, box in pixels, class, score)";

    public bool CanRead(IReadOnlyList<OnnxOutput> outputs, DecoderContext context) => Rows(outputs) is not null;

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

        // Of a grey image there may be none to tell by; but only one that finds nothing gives no rows.
        return any || values.IsEmpty ? FormatFit.Certain : FormatFit.Possible;
    }

    public void Decode(IReadOnlyList<OnnxOutput> outputs, DecoderContext context, PredictionSink sink)
    {
        (ReadOnlyMemory<float> rows, int columns) = Rows(outputs)!.Value;
        var probabilities = new float[context.Classes];
        for (int at = 0; at < rows.Length; at += columns)
        {
            ReadOnlySpan<float> row = rows.Span.Slice(at, columns), box = Box(row);
            (float score, float label) = ScoreAndClass(row);
            if (label < 0 || label >= probabilities.Length) continue;
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

    private static (float Score, float Class) ScoreAndClass(ReadOnlySpan<float> row) => row.Length == 6 ? (row[4], row[5]) : (row[6], row[5]);
}
