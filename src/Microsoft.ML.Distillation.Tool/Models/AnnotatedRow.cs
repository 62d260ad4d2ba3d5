namespace Microsoft.ML.Distillation.Tool.Models;

/// <summary>An image with its objects, as <c>LoadDetections</c> gives them.</summary>
internal class AnnotatedRow
{
    /// <summary>The image's file.</summary>
    public string ImagePath { get; set; } = "";

    /// <summary>Its width in pixels, as far as the annotation says it; else 0.</summary>
    public int ImageWidth { get; set; }

    /// <summary>Its height in pixels; likewise.</summary>
    public int ImageHeight { get; set; }

    /// <summary>The classes of the objects.</summary>
    public string[] Label { get; set; } = [];

    /// <summary>x0 y0 x1 y1 of each object in pixels.</summary>
    public float[] BoundingBoxes { get; set; } = [];

    /// <summary>Whether each object is hard to recognise.</summary>
    public bool[] Difficult { get; set; } = [];

    /// <summary>Whether each object is a group of objects.</summary>
    public bool[] Crowd { get; set; } = [];

    /// <summary>Whether each object is a region in which nothing is right or wrong.</summary>
    public bool[] Ignore { get; set; } = [];

    /// <summary>The share of each object beyond the image's edge.</summary>
    public float[] Truncated { get; set; } = [];

    /// <summary>How far each object is hidden, 0 visible to 3 unknown.</summary>
    public int[] Occluded { get; set; } = [];

    /// <summary>The area of each object in square pixels.</summary>
    public float[] Area { get; set; } = [];

    /// <summary>Reads a data set in Pascal VOC's format.</summary>
    public static IReadOnlyList<AnnotatedRow> Load(MLContext context, string folder, string? split)
        => [.. context.Data.CreateEnumerable<AnnotatedRow>(context.Data.LoadDetections(folder, split: split), reuseRowObject: false)];
}

/// <summary>What a detector found in an image, best first.</summary>
/// <param name="ImagePath">The image's file.</param>
/// <param name="Labels">The class of each detection.</param>
/// <param name="Scores">The score of each detection.</param>
/// <param name="Boxes">x0 y0 x1 y1 of each detection in pixels.</param>
internal sealed record DetectedImage(string ImagePath, string[] Labels, float[] Scores, float[] Boxes)
{
    /// <summary>The same one by one.</summary>
    public IEnumerable<Detection> ToDetections() => Labels.Select((label, i) => new Detection(
        label, Scores[i], new BoundingBox(Boxes[4 * i], Boxes[4 * i + 1], Boxes[4 * i + 2], Boxes[4 * i + 3])));

    /// <summary>Those of a score or more.</summary>
    public DetectedImage From(float score)
    {
        int[] kept = [.. Enumerable.Range(0, Scores.Length).Where(i => Scores[i] >= score)];
        return kept.Length == Scores.Length ? this : new DetectedImage(ImagePath, [.. kept.Select(i => Labels[i])],
            [.. kept.Select(i => Scores[i])], [.. kept.SelectMany(i => Boxes.AsSpan(4 * i, 4).ToArray())]);
    }

    /// <summary>Of an image's detections.</summary>
    public static DetectedImage Of(string imagePath, IReadOnlyList<Detection> found) => new(
        imagePath, [.. found.Select(one => one.Label)], [.. found.Select(one => one.Score)],
        [.. found.SelectMany(one => (float[])[one.Box.X0, one.Box.Y0, one.Box.X1, one.Box.Y1])]);
}

/// <summary>An image with its objects, and what a detector found in it; its properties are the columns.</summary>
internal sealed class EvaluatedRow : AnnotatedRow
{
    /// <summary>ML.NET wants a row without content to learn the columns from.</summary>
    public EvaluatedRow()
    {
    }

    public EvaluatedRow(AnnotatedRow truth, DetectedImage found)
    {
        (ImagePath, Label, BoundingBoxes) = (truth.ImagePath, truth.Label, truth.BoundingBoxes);
        (Difficult, Crowd, Ignore, Truncated, Occluded, Area) =
            (truth.Difficult, truth.Crowd, truth.Ignore, truth.Truncated, truth.Occluded, truth.Area);
        (PredictedLabel, Score, PredictedBoundingBoxes) = (found.Labels, found.Scores, found.Boxes);
    }

    /// <summary>The classes of the detections.</summary>
    public string[] PredictedLabel { get; set; } = [];

    /// <summary>The scores of the detections.</summary>
    public float[] Score { get; set; } = [];

    /// <summary>x0 y0 x1 y1 of each detection in pixels.</summary>
    public float[] PredictedBoundingBoxes { get; set; } = [];
}
