namespace Microsoft.ML.Distillation.Published.Decoders;

/// <summary>Reads a format that is a layout, once it is found where in the outputs things stand.</summary>
internal abstract class KnownLayoutDecoder : IOutputDecoder
{
    public abstract OnnxDetectorFormat Format { get; }

    public abstract string Layout { get; }

    public bool IsSuppressed => false;

    public bool CanRead(IReadOnlyList<OnnxOutput> outputs, DecoderContext context)
        => Find(outputs, context) is { } layout && LayoutDecoder.Problem(layout, outputs, context) is null;

    public abstract FormatFit Recognise(IReadOnlyList<OnnxOutput> outputs, DecoderContext context);

    public void Decode(IReadOnlyList<OnnxOutput> outputs, DecoderContext context, PredictionSink sink)
        => LayoutDecoder.Decode(Find(outputs, context)!, outputs, context, sink);

    /// <summary>The layout; <see langword="null"/> where the outputs are not of the format.</summary>
    protected abstract OnnxDetectorLayout? Find(IReadOnlyList<OnnxOutput> outputs, DecoderContext context);

    /// <summary>The output of a name, as converters may have lengthened it (":0").</summary>
    protected static OnnxOutput? Named(IReadOnlyList<OnnxOutput> outputs, string name)
        => outputs.FirstOrDefault(output => output.Name.Split(':')[0].Equals(name, StringComparison.OrdinalIgnoreCase));

    /// <summary>Whether there are a boxes' output [N, 4] in pixels and one of probabilities of some columns, and in which order.</summary>
    protected static (OnnxOutput Boxes, OnnxOutput Scores, bool BoxesFirst)? PixelPair(
        IReadOnlyList<OnnxOutput> outputs, DecoderContext context, int unused)
    {
        if (outputs.Count != 2 || BoxesAndScores.Find(outputs, context, unused) is not { } pair) return null;
        return BoxUnits.Of(pair.Boxes) == BoxUnit.Shares ? null : (pair.Boxes, pair.Scores, outputs[0] == pair.Boxes);
    }

    /// <summary>How surely a pair is of boxes in pixels and probabilities.</summary>
    protected static FormatFit FitOf(OnnxOutput boxes, OnnxOutput scores, DecoderContext context)
    {
        bool asWritten = context.Options.Activation is ScoreActivation.Auto or ScoreActivation.None;
        if (asWritten && !ClassScores.AreProbabilities(scores.Values.Span)) return FormatFit.None;
        return BoxUnits.Of(boxes) == BoxUnit.Pixels && BoxUnits.AreCorners(boxes) ? FormatFit.Certain : FormatFit.Possible;
    }
}

// RF-DETR's own exporter (Roboflow, 2025). Names tell boxes from logits, since for C = 3 both have four columns. What is trained on
// classes that count from 0 leaves the last slot unused; its own weights for COCO have 91 slots, by COCO's category numbers.

/// <summary>Reads RF-DETR's queries.</summary>
internal sealed class RfDetrDecoder : KnownLayoutDecoder
{
    private const int SlotsOfCoco = 91;
    private const int ClassesOfCoco = 80;

    public override OnnxDetectorFormat Format => OnnxDetectorFormat.RfDetr;

    public override string Layout => "dets [N, 4], centre and size as shares, and labels [N, C + 1] or [N, C], logits of sigmoids; sees "
        + "RGB with ImageNet's mean and deviation";

    public override FormatFit Recognise(IReadOnlyList<OnnxOutput> outputs, DecoderContext context)
        => Named(outputs, "dets") is null || Named(outputs, "labels") is null ? FormatFit.None : FormatFit.Named;

    protected override OnnxDetectorLayout? Find(IReadOnlyList<OnnxOutput> outputs, DecoderContext context)
    {
        OnnxOutput? boxes = Named(outputs, "dets"), logits = Named(outputs, "labels");
        bool named = boxes is not null && logits is not null;
        if (!named)
        {
            if (BoxesAndScores.Find(outputs, context, background: 1) is not { } pair) return null;
            (boxes, logits) = pair;
        }

        if (boxes!.Shape is not [_, 4] || logits!.IsInteger || logits.Shape is not [_, int slots]) return null;
        if (named && slots == SlotsOfCoco && context.Classes == ClassesOfCoco)
        {
            throw new FormatException($"The output {logits} has a slot for each of COCO's category numbers from 0 to 90, of which "
                + $"{ClassesOfCoco} are used, and the class names are {ClassesOfCoco}: give {SlotsOfCoco} names, any for the numbers "
                + "that are not used.");
        }

        if (slots != context.Classes && slots != context.Classes + 1) return null;
        int? first = context.Options.FirstLabel;
        if (named && slots == SlotsOfCoco && slots > context.Classes && first is null)
        {
            throw new FormatException($"The output {logits} has a slot more than there are class names. RF-DETR's weights for COCO count "
                + $"from 1 ({nameof(OnnxDetectorOptions.FirstLabel)} = 1), others from 0: say which it is.");
        }

        return new OnnxDetectorLayout
        {
            Boxes = new(boxes.Name),
            BoxForm = OnnxBoxForm.CentreAndSize,
            BoxUnit = OnnxBoxUnit.Shares,
            Classes = new(logits.Name),
            Activation = ScoreActivation.Sigmoid,
            Background = slots == context.Classes ? OnnxBackground.None : first == 1 ? OnnxBackground.First : OnnxBackground.Last,
        };
    }
}

// YOLO-NAS as SuperGradients exports it (Deci, 2023): "raw", "batch" and "flat". "batch" is what other YOLOs with suppression give too, and
// is shown the same. DAMO-YOLO's exporter gives what "raw" is, scores first.

/// <summary>Reads YOLO-NAS in its three forms.</summary>
internal sealed class YoloNasDecoder : KnownLayoutDecoder
{
    private static readonly string[] Counts = ["num_detections", "num_predictions", "num_dets"];

    public override OnnxDetectorFormat Format => OnnxDetectorFormat.YoloNas;

    public override string Layout => "boxes [N, 4] in pixels and probabilities [N, C], or one output [n, 7] (image, box in pixels, score, "
        + "class), or num_detections, pred_boxes [N, 4], pred_scores [N], pred_classes [N]";

    public override FormatFit Recognise(IReadOnlyList<OnnxOutput> outputs, DecoderContext context)
    {
        if (Batch(outputs) is not null) return FormatFit.Named;
        if (outputs is [{ Shape: [_, 7] } rows])
        {
            return rows.Name.Contains("flat_predictions", StringComparison.OrdinalIgnoreCase) ? FormatFit.Named
                : DetectionRows.Fit(rows, 7, box: 1, score: 5, label: 6);
        }

        return PixelPair(outputs, context, unused: 0) is { BoxesFirst: true } pair
            ? FitOf(pair.Boxes, pair.Scores, context) : FormatFit.None;
    }

    protected override OnnxDetectorLayout? Find(IReadOnlyList<OnnxOutput> outputs, DecoderContext context)
    {
        if (Batch(outputs) is { } batch) return batch;
        if (outputs is [{ Shape: [_, 7] }])
            return context.OutputsBatched ? null : new() { Image = new(0), Boxes = new(1), Score = new(5), Label = new(6) };
        return PixelPair(outputs, context, unused: 0) is not { } pair ? null
            : new() { Boxes = new(pair.Boxes.Name), Classes = new(pair.Scores.Name) };
    }

    private static OnnxDetectorLayout? Batch(IReadOnlyList<OnnxOutput> outputs)
    {
        OnnxOutput? count = Counts.Select(name => Named(outputs, name)).FirstOrDefault(output => output is not null);
        // SuperGradients' names, those of TensorRT's EfficientNMS, and MMYOLO's.
        foreach ((string box, string score, string label) in (ReadOnlySpan<(string, string, string)>)
            [("pred_boxes", "pred_scores", "pred_classes"), ("det_boxes", "det_scores", "det_classes"), ("boxes", "scores", "labels")])
        {
            (OnnxOutput? boxes, OnnxOutput? scores, OnnxOutput? labels)
                = (Named(outputs, box), Named(outputs, score), Named(outputs, label));
            if (count is null || boxes is null || scores is null || labels is null || scores.Shape.Count != 1) continue;
            return new() { Boxes = new(boxes.Name), Score = new(scores.Name), Label = new(labels.Name), Count = count.Name };
        }

        return null;
    }
}

/// <summary>Reads DAMO-YOLO's pair, of which the scores come first.</summary>
internal sealed class DamoYoloDecoder : KnownLayoutDecoder
{
    public override OnnxDetectorFormat Format => OnnxDetectorFormat.DamoYolo;

    public override string Layout => "probabilities [N, C] or [N, C + 1], then boxes [N, 4] in pixels; sees RGB from 0 to 255";

    public override FormatFit Recognise(IReadOnlyList<OnnxOutput> outputs, DecoderContext context)
        => PixelPair(outputs, context, unused: 1) is { BoxesFirst: false } pair ? FitOf(pair.Boxes, pair.Scores, context) : FormatFit.None;

    protected override OnnxDetectorLayout? Find(IReadOnlyList<OnnxOutput> outputs, DecoderContext context)
        => PixelPair(outputs, context, unused: 1) is not { } pair ? null : new()
        {
            Boxes = new(pair.Boxes.Name),
            Classes = new(pair.Scores.Name),
            Background = pair.Scores.Shape[1] > context.Classes ? OnnxBackground.Last : OnnxBackground.None,
        };
}

// PaddleDetection's exporter and paddle2onnx (PP-YOLOE, Xu et al. 2022). The image's scale_factor is told to be 1, so boxes are in pixels
// of the input. Where nothing is found there is one row of -1.

/// <summary>Reads what PaddleDetection exports, with and without suppression.</summary>
internal sealed class PaddleDecoder : KnownLayoutDecoder
{
    private static readonly string[] Inputs = ["scale_factor", "im_shape"];

    public override OnnxDetectorFormat Format => OnnxDetectorFormat.Paddle;

    public override string Layout => "one output [n, 6] (class, score, box in pixels) and the number of detections, or boxes [N, 4] in "
        + "pixels and probabilities [C, N]";

    public override FormatFit Recognise(IReadOnlyList<OnnxOutput> outputs, DecoderContext context)
    {
        bool named = context.Inputs.Any(name => Inputs.Contains(name, StringComparer.OrdinalIgnoreCase));
        if (Rows(outputs) is { } rows)
        {
            // Its inputs tell where it found nothing.
            FormatFit fit = DetectionRows.Fit(rows, 6, box: 2, score: 1, label: 0);
            return fit != FormatFit.None && named ? FormatFit.Named : fit;
        }

        (OnnxOutput boxes, OnnxOutput scores) = Pair(outputs, context)!.Value;
        FormatFit raw = FitOf(boxes, scores, context);
        return raw != FormatFit.None && named ? FormatFit.Named : raw;
    }

    protected override OnnxDetectorLayout? Find(IReadOnlyList<OnnxOutput> outputs, DecoderContext context)
    {
        if (Rows(outputs) is { } rows)
            return new() { Label = new(rows.Name, 0), Score = new(rows.Name, 1), Boxes = new(rows.Name, 2) };
        return Pair(outputs, context) is not { } pair ? null
            : new() { Boxes = new(pair.Boxes.Name), Classes = new(pair.Scores.Name) { Transposed = true } };
    }

    /// <summary>The rows, beside which there may be the number of them.</summary>
    private static OnnxOutput? Rows(IReadOnlyList<OnnxOutput> outputs)
    {
        OnnxOutput? rows = outputs.FirstOrDefault(output => output.Shape is [_, 6] && !output.IsInteger);
        return rows is not null && outputs.All(output => output == rows || (output.IsInteger && output.Values.Length <= 1)) ? rows : null;
    }

    private static (OnnxOutput Boxes, OnnxOutput Scores)? Pair(IReadOnlyList<OnnxOutput> outputs, DecoderContext context)
    {
        if (outputs.Count != 2) return null;
        foreach (OnnxOutput boxes in outputs.Where(output => output.Shape is [_, 4] && !output.IsInteger))
        {
            OnnxOutput scores = outputs[0] == boxes ? outputs[1] : outputs[0];
            if (scores.Shape is [int classes, int rows] && classes == context.Classes && rows == boxes.Shape[0] && rows != classes
                && BoxUnits.Of(boxes) != BoxUnit.Shares) return (boxes, scores);
        }

        return null;
    }
}

/// <summary>Reads what MMDeploy exports: detections that are suppressed.</summary>
internal sealed class MMDeployDecoder : KnownLayoutDecoder
{
    public override OnnxDetectorFormat Format => OnnxDetectorFormat.MMDeploy;

    public override string Layout => "dets [N, 5], box in pixels and score, and labels [N]; sees RGB with ImageNet's mean and deviation";

    public override FormatFit Recognise(IReadOnlyList<OnnxOutput> outputs, DecoderContext context)
    {
        ReadOnlySpan<float> rows = outputs.First(output => output.Shape is [_, 5]).Values.Span;
        for (int at = 4; at < rows.Length; at += 5)
        {
            if (rows[at] is not (>= -1 and <= 1)) return FormatFit.None;
        }

        return Named(outputs, "dets") is not null && Named(outputs, "labels") is not null ? FormatFit.Named : FormatFit.Certain;
    }

    protected override OnnxDetectorLayout? Find(IReadOnlyList<OnnxOutput> outputs, DecoderContext context)
    {
        OnnxOutput? rows = outputs.FirstOrDefault(output => output.Shape is [_, 5] && !output.IsInteger);
        OnnxOutput? labels = outputs.FirstOrDefault(output => output.Shape is [int count] && count == rows?.Shape[0]
            && (output.IsInteger || output == Named(outputs, "labels")));
        return rows is null || labels is null ? null
            : new() { Boxes = new(rows.Name), Score = new(rows.Name, 4), Label = new(labels.Name) };
    }
}

/// <summary>Rows of a box, a score and a class, told by their values.</summary>
internal static class DetectionRows
{
    /// <summary>How surely rows have these columns.</summary>
    public static FormatFit Fit(OnnxOutput rows, int columns, int box, int score, int label)
    {
        ReadOnlySpan<float> values = rows.Values.Span;
        bool any = false;
        for (int at = 0; at < values.Length; at += columns)
        {
            ReadOnlySpan<float> row = values.Slice(at, columns);
            // A row that is filled up: zeros, or minus ones.
            if (row[label] < 0 || row[score] <= 0) continue;
            if (row[score] > 1 || row[label] != MathF.Floor(row[label])) return FormatFit.None;
            ReadOnlySpan<float> corners = row.Slice(box, 4);
            if (corners[2] < corners[0] || corners[3] < corners[1]) return FormatFit.None;
            any |= corners[2] > BoxUnits.LargestShare && row[score] != MathF.Floor(row[score]);
        }

        return any ? FormatFit.Certain : FormatFit.Possible;
    }
}
