using Microsoft.ML.Distillation.Formats;

namespace Microsoft.ML.Distillation.Rows;

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

/// <summary>Annotated images of a folder as a data view.</summary>
internal static class DetectionLoader
{
    /// <summary>
    /// The images of a folder or annotation file, of any format: <c>ImagePath</c> (text), <c>Label</c> (vector of text) and
    /// <c>BoundingBoxes</c> (vector of Single, x0 y0 x1 y1 of each object in pixels), and, parallel to <c>Label</c>, what the format
    /// knows of the objects: <c>Difficult</c>, <c>Crowd</c>, <c>Ignore</c> (vectors of Boolean), <c>Truncated</c> (Single, the share
    /// beyond the image's edge), <c>Occluded</c> (Int32, 0 visible to 3 unknown) and <c>Area</c> (Single, square pixels; the box's
    /// where the format gives none). Images without objects are rows too.
    /// </summary>
    /// <exception cref="DirectoryNotFoundException">The folder does not exist.</exception>
    /// <exception cref="FileNotFoundException">
    /// The split, or a file that is needed, does not exist; or, as rows are read, an image.
    /// </exception>
    /// <exception cref="FormatException">
    /// A file is not of the format; the message names file and line. Thrown here or as rows are read.
    /// </exception>
    public static IDataView Load(DataOperationsCatalog catalog, DetectionFormat format, AnnotationSource source)
        => catalog.LoadFromEnumerable(AnnotationReader.Read(format, source).Select(image => new DetectionRow(image)));
}
