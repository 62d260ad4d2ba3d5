namespace Microsoft.ML.Distillation.Evaluation;

/// <summary>A rectangle in pixels of an image: left, top, right, bottom.</summary>
internal readonly record struct Box(double X0, double Y0, double X1, double Y1)
{
    /// <summary>The box of an object.</summary>
    /// <param name="values">4N values, x0 y0 x1 y1 of each.</param>
    public static Box At(ReadOnlySpan<float> values, int index)
        => new(values[4 * index], values[4 * index + 1], values[4 * index + 2], values[4 * index + 3]);

    /// <summary>The width in pixels.</summary>
    public double Width => X1 - X0;

    /// <summary>The height in pixels.</summary>
    public double Height => Y1 - Y0;

    /// <summary>The area in square pixels.</summary>
    public double Area => Width * Height;

    /// <summary>The area that two boxes share; 0 where they do not meet or a coordinate is no number.</summary>
    /// <param name="edge">What a width gains over x1 - x0: 1 under PASCAL VOC's rule of inclusive pixels, else 0.</param>
    public double Overlap(in Box other, double edge = 0)
    {
        double width = Math.Min(X1, other.X1) - Math.Max(X0, other.X0) + edge;
        double height = Math.Min(Y1, other.Y1) - Math.Max(Y0, other.Y0) + edge;
        return width > 0 && height > 0 ? width * height : 0;
    }

    /// <summary>Intersection over union.</summary>
    /// <inheritdoc cref="Overlap"/>
    public double Iou(in Box other, double edge = 0)
    {
        double overlap = Overlap(other, edge);
        return overlap > 0 ? overlap / (AreaWith(edge) + other.AreaWith(edge) - overlap) : 0;
    }

    /// <summary>The share of this box that lies in another, 0 to 1.</summary>
    /// <inheritdoc cref="Overlap"/>
    public double ShareIn(in Box other, double edge = 0)
    {
        double overlap = Overlap(other, edge);
        return overlap > 0 ? overlap / AreaWith(edge) : 0;
    }

    private double AreaWith(double edge) => (Width + edge) * (Height + edge);
}

/// <summary>An object that a detector reports.</summary>
/// <param name="Box">Where it is, in pixels.</param>
/// <param name="Label">Its class, 0-based.</param>
/// <param name="Score">How sure the detector is; higher is surer. A score that is no number ranks last.</param>
internal readonly record struct DetectedBox(Box Box, int Label, double Score)
{
    /// <summary>The score to rank by.</summary>
    public double Rank => double.IsNaN(Score) ? double.NegativeInfinity : Score;
}

/// <summary>An annotated object.</summary>
/// <param name="Box">Where it is, in pixels.</param>
/// <param name="Label">Its class, 0-based.</param>
internal readonly record struct TrueBox(Box Box, int Label)
{
    /// <summary>The label of a <see cref="DontCare"/> region that concerns the detections of all classes.</summary>
    public const int EveryClass = -1;

    /// <summary>The area in square pixels that decides between small, medium and large; COCO gives the segment's, not the box's.</summary>
    public double Area { get; init; } = Box.Area;

    /// <summary>COCO's "iscrowd": a group of objects. It may be found any number of times and is never missed.</summary>
    public bool Crowd { get; init; }

    /// <summary>PASCAL VOC's "difficult": finding it is neither right nor wrong, missing it is no miss.</summary>
    public bool Difficult { get; init; }

    /// <summary>
    /// KITTI's "DontCare": a region that nobody annotated. A detection in it that finds nothing else is neither right nor wrong.
    /// It concerns the class of its label, or all of them with <see cref="EveryClass"/>.
    /// </summary>
    public bool DontCare { get; init; }

    /// <summary>KITTI's truncation: the share of the object that lies outside the image, 0 to 1.</summary>
    public double Truncation { get; init; }

    /// <summary>KITTI's occlusion: 0 fully visible, 1 partly hidden, 2 largely hidden, 3 unknown.</summary>
    public int Occlusion { get; init; }

    /// <summary>Whether it is left out of the count of objects to find.</summary>
    public bool Ignored => Crowd || Difficult || DontCare;

    /// <summary>Whether it is an area rather than one object: any number of detections may lie in it.</summary>
    public bool IsRegion => Crowd || DontCare;

    /// <summary>How well a detection covers it: intersection over union; of a region, the share of the detection that lies in it.</summary>
    /// <inheritdoc cref="Box.Overlap"/>
    public double Cover(in Box detection, double edge = 0) => IsRegion ? detection.ShareIn(Box, edge) : detection.Iou(Box, edge);
}

/// <summary>One image's annotated and detected objects. Either may be empty.</summary>
internal sealed record EvaluationImage(TrueBox[] Truth, DetectedBox[] Detections)
{
    /// <summary>Makes one from boxes that are shares of the image.</summary>
    /// <param name="width">The image's width in pixels.</param>
    /// <param name="height">The image's height in pixels.</param>
    /// <param name="boxes">4N shares, x0 y0 x1 y1 of each annotated object.</param>
    /// <param name="labels">N classes, 0-based.</param>
    /// <param name="detectedBoxes">4M shares of the detections.</param>
    /// <param name="scores">M scores.</param>
    /// <param name="detectedLabels">M classes, 0-based.</param>
    public static EvaluationImage FromShares(
        int width, int height,
        ReadOnlySpan<float> boxes, ReadOnlySpan<int> labels,
        ReadOnlySpan<float> detectedBoxes, ReadOnlySpan<float> scores, ReadOnlySpan<int> detectedLabels)
    {
        var truth = new TrueBox[labels.Length];
        for (int i = 0; i < truth.Length; i++) truth[i] = new TrueBox(InPixels(boxes, i, width, height), labels[i]);
        var detections = new DetectedBox[detectedLabels.Length];
        for (int i = 0; i < detections.Length; i++)
            detections[i] = new DetectedBox(InPixels(detectedBoxes, i, width, height), detectedLabels[i], scores[i]);
        return new EvaluationImage(truth, detections);
    }

    /// <summary>Checks that every annotated object has a class of the list; only a don't-care region may have none.</summary>
    /// <exception cref="ArgumentException">One has not; the message names its image.</exception>
    public static void CheckLabels(IReadOnlyList<EvaluationImage> images, int classes)
    {
        for (int i = 0; i < images.Count; i++)
        {
            foreach (ref readonly TrueBox box in images[i].Truth.AsSpan())
            {
                if ((uint)box.Label < (uint)classes || box.DontCare && box.Label == TrueBox.EveryClass) continue;
                throw new ArgumentException($"Image {i} has an object of class {box.Label}; there are {classes} classes.", nameof(images));
            }
        }
    }

    private static Box InPixels(ReadOnlySpan<float> shares, int index, double width, double height)
    {
        ReadOnlySpan<float> box = shares.Slice(4 * index, 4);
        return new Box(box[0] * width, box[1] * height, box[2] * width, box[3] * height);
    }
}
