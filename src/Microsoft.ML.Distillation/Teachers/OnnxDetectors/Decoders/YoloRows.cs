using System.Numerics.Tensors;

namespace Microsoft.ML.Distillation.Teachers.OnnxDetectors.Decoders;

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
    public static void Read(OnnxOutput rows, int first, int count, PredictionSink sink, BoxDecoder decode)
    {
        int columns = rows.Shape[1];
        var probabilities = new float[columns - 5];
        Span<float> box = stackalloc float[4];
        for (int i = 0; i < count; i++)
        {
            ReadOnlySpan<float> row = rows.Values.Span.Slice((first + i) * columns, columns);
            if (!(row[4] >= sink.Floor)) continue;
            TensorPrimitives.Multiply(row[5..], row[4], probabilities);
            row[..4].CopyTo(box);
            decode(i, box);
            sink.AddCentred(box[0], box[1], box[2], box[3], probabilities);
        }
    }
}
