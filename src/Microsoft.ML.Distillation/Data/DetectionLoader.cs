using Microsoft.ML.Data;

namespace Microsoft.ML.Distillation.Data;

/// <summary>Annotated images of a folder as a data view.</summary>
internal static class DetectionLoader
{
    /// <summary>
    /// The images of a folder: <c>ImagePath</c> (text), <c>Label</c> (vector of text) and <c>BoundingBoxes</c> (vector of Single,
    /// x0 y0 x1 y1 of each object in pixels). Images without objects are rows too. Files are parsed as rows are read.
    /// </summary>
    /// <param name="split">The name of a part of the data (a list in <c>ImageSets/Main</c>, or a folder); null is all of it.</param>
    /// <exception cref="DirectoryNotFoundException">The folder does not exist.</exception>
    /// <exception cref="FileNotFoundException">The split, or a file that it names, or any annotation does not exist.</exception>
    public static IDataView Load(DataOperationsCatalog catalog, string folder, DetectionFormat format, string? split)
    {
        IEnumerable<VocImage> images = format switch
        {
            DetectionFormat.PascalVoc => PascalVocReader.Read(folder, split),
            _ => throw new ArgumentOutOfRangeException(nameof(format), format, "This format cannot be read."),
        };
        return catalog.LoadFromEnumerable(images.Select(image => new Row
        {
            ImagePath = image.ImagePath,
            Label = image.Labels,
            BoundingBoxes = image.Boxes,
        }));
    }

    /// <summary>One image.</summary>
    private sealed class Row
    {
        public string ImagePath { get; set; } = "";

        public string[] Label { get; set; } = [];

        public float[] BoundingBoxes { get; set; } = [];
    }
}
