namespace Microsoft.ML.Distillation.Evaluation;

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
