using Microsoft.ML.Distillation.Data.Formats;

namespace Microsoft.ML.Distillation.Data;

/// <summary>An annotated image as a row of a data view; its properties are the columns.</summary>
internal sealed class DetectionRow
{
    /// <summary>ML.NET wants a row without content to learn the columns from.</summary>
    public DetectionRow()
    {
    }

    public DetectionRow(AnnotatedImage image)
    {
        ImagePath = image.ImagePath;
        Label = Column(image, item => item.Label);
        BoundingBoxes = [.. image.Objects.SelectMany(item => (IEnumerable<float>)[item.X0, item.Y0, item.X1, item.Y1])];
        Difficult = Column(image, item => item.Difficult);
        Crowd = Column(image, item => item.Crowd);
        Ignore = Column(image, item => item.Ignore);
        Truncated = Column(image, item => item.Truncated);
        Occluded = Column(image, item => item.Occluded);
        Area = Column(image, item => item.Area ?? (item.X1 - item.X0) * (item.Y1 - item.Y0));
    }

    public string ImagePath { get; set; } = "";

    public string[] Label { get; set; } = [];

    public float[] BoundingBoxes { get; set; } = [];

    public bool[] Difficult { get; set; } = [];

    public bool[] Crowd { get; set; } = [];

    public bool[] Ignore { get; set; } = [];

    public float[] Truncated { get; set; } = [];

    public int[] Occluded { get; set; } = [];

    public float[] Area { get; set; } = [];

    private static T[] Column<T>(AnnotatedImage image, Func<AnnotatedObject, T> value) => [.. image.Objects.Select(value)];
}
