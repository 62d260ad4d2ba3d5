using Microsoft.ML.Distillation.Published.Decoders;

namespace Microsoft.ML.Distillation.Published;

/// <summary>Knows models that find something else than upright boxes, by what their files or their outputs say.</summary>
internal static class OtherTasks
{
    private const string Oriented = "it finds oriented (rotated) boxes";
    private const string Segments = "it finds outlines or masks (instance segmentation)";
    private const string Poses = "it finds poses (key points)";
    private const string Remedy = "Only detectors of upright boxes can be read; whoever wants its boxes all the same describes them by the "
        + "option " + nameof(OnnxDetectorOptions.Layout) + ".";

    // Ultralytics' word for the task stands in the metadata of its exports.
    private static readonly Dictionary<string, string> Tasks = new(StringComparer.OrdinalIgnoreCase)
    {
        ["obb"] = Oriented,
        ["segment"] = Segments,
        ["pose"] = Poses,
        ["classify"] = "it says what an image shows as a whole (classification)",
        ["semantic"] = "it gives each pixel a class (semantic segmentation)",
        ["depth"] = "it estimates depths",
    };

    /// <summary>Throws where a model's metadata or outputs say that it is no detector of upright boxes.</summary>
    /// <exception cref="FormatException">It is none; the message says what it is.</exception>
    public static void Refuse(
        string source, IReadOnlyDictionary<string, string> metadata, IReadOnlyList<OnnxOutput> outputs, DecoderContext context)
    {
        if (context.Options.Layout is not null || context.Options.Decoder is not null) return;
        if (Of(metadata, outputs, context) is { } what)
            throw new FormatException($"'{source}' is no detector of upright boxes: {what}. {Remedy}");
    }

    /// <summary>What a model finds that is no detector of upright boxes; <see langword="null"/>: nothing says that it is none.</summary>
    public static string? Of(IReadOnlyDictionary<string, string> metadata, IReadOnlyList<OnnxOutput> outputs, DecoderContext context)
    {
        if (metadata.TryGetValue("task", out string? task) && Tasks.TryGetValue(task.Trim(), out string? what))
            return $"{what}, as its metadata says (task: {task.Trim()})";
        return OfShape(outputs, context) is { } seen ? $"{seen}, by its outputs {string.Join(", ", outputs)}" : null;
    }

    /// <summary>What outputs that no format fits may be, as the beginning of a message; empty where nothing speaks for anything.</summary>
    public static string LooksLike(IReadOnlyList<OnnxOutput> outputs, DecoderContext context)
    {
        string? what = outputs switch
        {
            [{ Shape: [int columns, int cells] }] when IsGrid(cells, context) => OfColumns(columns - 4 - context.Classes),
            [{ Shape: [_, int columns] }] when context.OutputsBatched && columns > 7 => OfKeyPoints(columns - 6),
            _ => null,
        };
        return what is null ? "" : $"By the number of its columns {what}, which is not read. ";
    }

    private static string? OfShape(IReadOnlyList<OnnxOutput> outputs, DecoderContext context)
    {
        OnnxOutput[] detections = [.. outputs.Where(output => output.Name.StartsWith("dets", StringComparison.OrdinalIgnoreCase))];
        bool hasMasks = outputs.Any(output => output.Shape.Count >= 3 && output.Name.Contains("mask", StringComparison.OrdinalIgnoreCase));
        if (detections.Length == 1 && hasMasks) return Segments;
        // MMRotate: centre, size, angle, score.
        if (detections is [{ Shape: [int n, 6] }] && outputs.Any(output => output.IsInteger && output.Shape is [int m] && m == n))
            return Oriented;
        // Ultralytics: rows of detections, or columns of cells, and the prototypes of masks.
        bool hasPrototypes = outputs.Any(output => output.Shape is [16 or 32 or 64 or 128, > 4, > 4]);
        if (outputs.Count == 2 && hasPrototypes
            && outputs.Any(output => output.Shape is [int a, int b] && Math.Max(a, b) > 4 + context.Classes)
            && outputs.All(output => output.Shape is not [_, 4])) return Segments;
        return outputs is [{ Shape: [_, 7] } rows] && context.OutputsBatched && HaveAngles(rows, context) ? Oriented : null;
    }

    /// <summary>Whether rows are centre, size, score, class and angle: they are no grid, and each has a whole number for a class.</summary>
    private static bool HaveAngles(OnnxOutput rows, DecoderContext context)
    {
        if (IsGrid(rows.Shape[0], context) || IsGrid(rows.Shape[0] / 3, context)) return false;
        bool any = false;
        ReadOnlySpan<float> values = rows.Values.Span;
        for (int at = 0; at < values.Length; at += 7)
        {
            (float score, float label) = (values[at + 4], values[at + 5]);
            if (score is not (>= 0 and <= 1) || label != MathF.Floor(label) || label < 0) return false;
            any |= score > 0 && values[at + 2] > 0;
        }

        return any;
    }

    private static bool IsGrid(int cells, DecoderContext context)
        => GridLevels.Find(context.Input, cells, 1, context.Options.Strides) is not null;

    private static string? OfColumns(int beside) => beside switch
    {
        1 => Oriented,
        16 or 32 or 64 => Segments,
        _ => OfKeyPoints(beside),
    };

    private static string? OfKeyPoints(int beside)
        => beside >= 6 && beside % 3 == 0 ? $"{Poses[..^1]}, {beside / 3} of them)" : null;
}
