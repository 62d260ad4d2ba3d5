namespace Microsoft.ML.Distillation.Evaluation;

/// <summary>An annotated object.</summary>
/// <param name="Box">Where it is, in pixels.</param>
/// <param name="Label">Its class, 0-based.</param>
internal readonly record struct TrueBox(Box Box, int Label)
{
    /// <summary>The area in square pixels that decides between small, medium and large; COCO gives the segment's, not the box's.</summary>
    public double Area { get; init; } = Box.Area;

    /// <summary>COCO's "iscrowd": a group of objects. It may be found any number of times and is never missed.</summary>
    public bool Crowd { get; init; }

    /// <summary>PASCAL VOC's "difficult": finding it is neither right nor wrong, missing it is no miss.</summary>
    public bool Difficult { get; init; }

    /// <summary>Whether it is left out of the count of objects to find.</summary>
    public bool Ignored => Crowd || Difficult;
}
