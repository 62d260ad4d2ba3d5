using System.Numerics.Tensors;

namespace Microsoft.ML.Distillation.Published.Decoders;

// Boxes x0 y0 x1 y1 as shares of the input; scores of C classes, or of background and C classes.
// Outputs that are no probabilities pass a softmax where there is a background, and sigmoids where there is none. Models that end in
// suppressed detections, as the ONNX model zoo's, give boxes, labels from 1 on and scores instead.

/// <summary>Reads SSD-like pairs of boxes and scores; what is in them stands at the top of the file.</summary>
internal sealed class SsdDecoder : IOutputDecoder
{
    public OnnxDetectorFormat Format => OnnxDetectorFormat.Ssd;

    public string Layout => "boxes [N, 4] as shares and scores [N, C + 1] or [N, C], or labels [N] and scores [N]";

    public bool CanRead(IReadOnlyList<OnnxOutput> outputs, DecoderContext context)
        => BoxesAndScores.Find(outputs, context, background: 1) is not null || LabelledBoxes.Find(outputs) is not null;

    public FormatFit Recognise(IReadOnlyList<OnnxOutput> outputs, DecoderContext context)
    {
        if (BoxesAndScores.Find(outputs, context, background: 1) is not { } pair) return Recognise(LabelledBoxes.Find(outputs)!, outputs,
            context);
        BoxUnit unit = BoxUnits.Of(pair.Boxes);
        if (unit == BoxUnit.Pixels || !BoxUnits.AreCorners(pair.Boxes)) return FormatFit.None;
        string name = pair.Scores.Name.ToUpperInvariant();
        if (name.Contains("LOGIT", StringComparison.Ordinal)) return FormatFit.None;
        string[] telling = ["SCORE", "CONF", "PROB"];
        bool tells = telling.Any(word => name.Contains(word, StringComparison.Ordinal));
        return tells && unit == BoxUnit.Shares ? FormatFit.Certain : FormatFit.Possible;
    }

    public void Decode(IReadOnlyList<OnnxOutput> outputs, DecoderContext context, PredictionSink sink)
    {
        if (BoxesAndScores.Find(outputs, context, background: 1) is not { } pair)
        {
            LabelledBoxes.Find(outputs)!.Read(context, sink, LabelledBoxes.FirstLabel(context));
            return;
        }

        (OnnxOutput boxes, OnnxOutput scores) = pair;
        int columns = scores.Shape[1], background = columns - context.Classes;
        ScoreActivation activation = context.Options.Activation;
        if (activation == ScoreActivation.Auto && !ClassScores.AreProbabilities(scores.Values.Span))
            activation = background == 1 ? ScoreActivation.Softmax : ScoreActivation.Sigmoid;

        (float width, float height) = (context.Input.Width, context.Input.Height);
        var row = new float[columns];
        for (int i = 0; i < scores.Shape[0]; i++)
        {
            scores.Values.Span.Slice(i * columns, columns).CopyTo(row);
            ClassScores.Activate(row, activation);
            ReadOnlySpan<float> box = boxes.Values.Span.Slice(4 * i, 4);
            sink.Add(box[0] * width, box[1] * height, box[2] * width, box[3] * height, row.AsSpan(background));
        }
    }

    private static FormatFit Recognise(LabelledBoxes labelled, IReadOnlyList<OnnxOutput> outputs, DecoderContext context)
    {
        if (TensorFlowDecoder.HasItsNames(outputs)) return FormatFit.None;
        return BoxUnits.Of(labelled.Boxes) switch
        {
            BoxUnit.Shares => FormatFit.Certain,
            BoxUnit.Pixels => FormatFit.None,
            _ => context.OutputsBatched ? FormatFit.Possible : FormatFit.None,
        };
    }
}

/// <summary>Two outputs of equal length, one of boxes and one of class scores.</summary>
internal static class BoxesAndScores
{
    /// <summary>Finds the pair; <see langword="null"/> where there is none.</summary>
    /// <param name="background">The number of columns that scores may have beside the classes'.</param>
    public static (OnnxOutput Boxes, OnnxOutput Scores)? Find(IReadOnlyList<OnnxOutput> outputs, DecoderContext context, int background)
    {
        foreach (OnnxOutput boxes in outputs.Where(IsBoxes).OrderByDescending(output => HasName(output, "BOX")))
        {
            OnnxOutput? scores = outputs.FirstOrDefault(output => output != boxes && output.Shape.Count == 2 && !output.IsInteger
                && output.Shape[0] == boxes.Shape[0]
                    && (output.Shape[1] == context.Classes || output.Shape[1] == context.Classes + background));
            if (scores is not null) return (boxes, scores);
        }

        return null;
    }

    private static bool IsBoxes(OnnxOutput output) => output.Shape.Count == 2 && output.Shape[1] == 4 && !output.IsInteger;

    private static bool HasName(OnnxOutput output, string part) => output.Name.Contains(part, StringComparison.OrdinalIgnoreCase);
}

/// <summary>Turns class outputs into probabilities.</summary>
internal static class ClassScores
{
    /// <summary>Whether all values lie between 0 and 1.</summary>
    public static bool AreProbabilities(ReadOnlySpan<float> values)
        => values.IsEmpty || (TensorPrimitives.Min(values) >= 0 && TensorPrimitives.Max(values) <= 1);

    /// <summary>Applies an activation to the score of the class that a detector has chosen.</summary>
    public static float Activate(float score, ScoreActivation activation)
        => activation == ScoreActivation.Sigmoid ? 1 / (1 + MathF.Exp(-score)) : score;

    /// <summary>Applies an activation in place.</summary>
    public static void Activate(Span<float> values, ScoreActivation activation)
    {
        if (activation == ScoreActivation.Sigmoid) TensorPrimitives.Sigmoid(values, values);
        if (activation == ScoreActivation.Softmax) TensorPrimitives.SoftMax(values, values);
    }
}

/// <summary>What the coordinates of boxes are counted in, as far as their values show it.</summary>
internal enum BoxUnit
{
    /// <summary>There are no boxes, or all are empty.</summary>
    Unknown,

    /// <summary>Pixels of the input.</summary>
    Pixels,

    /// <summary>Shares of the input.</summary>
    Shares,
}

/// <summary>Tells pixels from shares.</summary>
internal static class BoxUnits
{
    // Shares of boxes that nobody cut may exceed 1; a box that ends within two pixels of the corner shows nothing.
    public const float LargestShare = 2;

    /// <summary>Whether boxes [N,4] are corners: of hardly any does the second lie before the first.</summary>
    public static bool AreCorners(OnnxOutput boxes)
    {
        int rows = boxes.Values.Length / 4, turned = 0;
        ReadOnlySpan<float> values = boxes.Values.Span;
        for (int at = 0; at < 4 * rows; at += 4)
        {
            if (values[at + 2] < values[at] || values[at + 3] < values[at + 1]) turned++;
        }

        return 10 * turned <= rows;
    }

    /// <summary>What the boxes [N,4] of an image are counted in.</summary>
    public static BoxUnit Of(OnnxOutput boxes)
    {
        float largest = 0;
        foreach (float value in boxes.Values.Span) largest = Math.Max(largest, value);
        return largest > LargestShare ? BoxUnit.Pixels : largest > 0 ? BoxUnit.Shares : BoxUnit.Unknown;
    }
}
