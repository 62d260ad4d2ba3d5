using Microsoft.ML.Distillation.Evaluation;

namespace Microsoft.ML.Distillation.Tool.Models;

/// <summary>An image with its objects, as <c>LoadDetections</c> gives them.</summary>
internal sealed class AnnotatedRow
{
    /// <summary>The image's file.</summary>
    public string ImagePath { get; set; } = "";

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
internal sealed record DetectedImage(string ImagePath, string[] Labels, float[] Scores, float[] Boxes);

/// <summary>Measures detections against annotations; classes are matched by name.</summary>
internal sealed class DetectionTally
{
    private readonly Dictionary<string, int> _labels = new(StringComparer.Ordinal);
    private readonly List<EvaluationImage> _images = [];

    /// <summary>Adds an image.</summary>
    public void Add(AnnotatedRow truth, DetectedImage found) => _images.Add(new EvaluationImage(
        [.. truth.Label.Select((_, i) => TrueBoxAt(truth, i))],
        [.. found.Labels.Select((name, i) => new DetectedBox(BoxAt(found.Boxes, i), LabelOf(name), found.Scores[i]))]));

    /// <summary>The figures of the images so far.</summary>
    /// <param name="inclusivePixels">Whether VOC's figures take a width for x1 - x0 + 1.</param>
    public DetectionMetrics Measure(bool inclusivePixels = true)
        => DetectionEvaluator.Evaluate(_images, [.. _labels.OrderBy(label => label.Value).Select(label => label.Key)], inclusivePixels);

    private TrueBox TrueBoxAt(AnnotatedRow truth, int i)
    {
        bool ignore = truth.Ignore.ElementAtOrDefault(i);
        Box box = BoxAt(truth.BoundingBoxes, i);
        return new TrueBox(box, ignore && truth.Label[i].Length == 0 ? TrueBox.EveryClass : LabelOf(truth.Label[i]))
        {
            Area = i < truth.Area.Length ? truth.Area[i] : box.Area,
            Crowd = truth.Crowd.ElementAtOrDefault(i),
            Difficult = truth.Difficult.ElementAtOrDefault(i),
            DontCare = ignore,
            Truncation = truth.Truncated.ElementAtOrDefault(i),
            Occlusion = truth.Occluded.ElementAtOrDefault(i),
        };
    }

    private int LabelOf(string name)
    {
        if (!_labels.TryGetValue(name, out int label)) _labels.Add(name, label = _labels.Count);
        return label;
    }

    private static Box BoxAt(float[] boxes, int index) => new(boxes[4 * index], boxes[4 * index + 1], boxes[4 * index + 2], boxes[4 * index + 3]);
}
