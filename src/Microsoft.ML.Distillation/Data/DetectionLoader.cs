using Microsoft.ML.Distillation.Data.Formats;

namespace Microsoft.ML.Distillation.Data;

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
    /// <exception cref="FileNotFoundException">The split, or a file that is needed, does not exist; or, as rows are read, an image.</exception>
    /// <exception cref="FormatException">A file is not of the format; the message names file and line. Thrown here or as rows are read.</exception>
    public static IDataView Load(DataOperationsCatalog catalog, DetectionFormat format, AnnotationSource source)
        => catalog.LoadFromEnumerable(AnnotationReader.Read(format, source).Select(image => new DetectionRow(image)));
}
