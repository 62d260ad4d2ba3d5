using Microsoft.ML.Data;
using Microsoft.ML.Distillation.Formats;
using Microsoft.ML.Distillation.Images;

namespace Microsoft.ML.Distillation.Rows;

/// <summary>An annotated image as a row of a data view; its properties are the columns.</summary>
internal class DetectionRow
{
    /// <summary>ML.NET wants a row without content to learn the columns from.</summary>
    public DetectionRow()
    {
    }

    public DetectionRow(AnnotatedImage image)
    {
        ImagePath = image.ImagePath;
        (ImageWidth, ImageHeight) = (image.Size?.Width ?? 0, image.Size?.Height ?? 0);
        Label = Column(image, item => item.Label);
        BoundingBoxes = [.. image.Objects.SelectMany(item => (IEnumerable<float>)[item.X0, item.Y0, item.X1, item.Y1])];
        Difficult = Column(image, item => item.Difficult);
        Crowd = Column(image, item => item.Crowd);
        Ignore = Column(image, item => item.Ignore);
        Truncated = Column(image, item => item.Truncated);
        Occluded = Column(image, item => item.Occluded);
        Area = Column(image, item => item.Area ?? AreaOf(item));
        LabelScore = Column(image, item => item.Score ?? float.NaN);
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

    public float[] LabelScore { get; set; } = [];

    public int ImageWidth { get; set; }

    public int ImageHeight { get; set; }

    protected static float AreaOf(AnnotatedObject item) => (item.X1 - item.X0) * (item.Y1 - item.Y0);

    private static T[] Column<T>(AnnotatedImage image, Func<AnnotatedObject, T> value) => [.. image.Objects.Select(value)];
}

/// <summary>A row that is to be written.</summary>
internal sealed class LabelledRow : DetectionRow
{
    /// <summary>The row as writers take it.</summary>
    /// <exception cref="InvalidDataException">The row has not as many boxes as labels.</exception>
    public AnnotatedImage ToImage()
    {
        if (BoundingBoxes.Length != 4 * Label.Length)
            throw new InvalidDataException(
                $"'{ImagePath}' has {Label.Length} labels and {BoundingBoxes.Length} coordinates of boxes, where each box has 4.");
        return new AnnotatedImage(ImagePath, ImageWidth > 0 && ImageHeight > 0 ? new ImageSize(ImageWidth, ImageHeight)
            : null, [.. Label.Select((_, i) => ObjectAt(i))]);
    }

    private AnnotatedObject ObjectAt(int i)
    {
        var bare = new AnnotatedObject(Label[i], BoundingBoxes[4 * i], BoundingBoxes[4 * i + 1], BoundingBoxes[4 * i + 2],
            BoundingBoxes[4 * i + 3]);
        return bare with
        {
            Difficult = Difficult.ElementAtOrDefault(i),
            Crowd = Crowd.ElementAtOrDefault(i),
            Ignore = Ignore.ElementAtOrDefault(i),
            Truncated = Truncated.ElementAtOrDefault(i),
            Occluded = Occluded.ElementAtOrDefault(i),
            Area = i < Area.Length && Area[i] != AreaOf(bare) ? Area[i] : null,
            Score = i < LabelScore.Length && !float.IsNaN(LabelScore[i]) ? LabelScore[i] : null,
        };
    }
}

/// <summary>Annotated images of a folder as a data view.</summary>
internal static class DetectionLoader
{
    /// <summary>
    /// The images of a folder or annotation file, of any format: <c>ImagePath</c> (text), <c>Label</c> (vector of text) and
    /// <c>BoundingBoxes</c> (vector of Single, x0 y0 x1 y1 of each object in pixels), and, parallel to <c>Label</c>, what the format
    /// knows of the objects: <c>Difficult</c>, <c>Crowd</c>, <c>Ignore</c> (vectors of Boolean), <c>Truncated</c> (Single, the share
    /// beyond the image's edge), <c>Occluded</c> (Int32, 0 visible to 3 unknown), <c>Area</c> (Single, square pixels; the box's
    /// where the format gives none) and <c>LabelScore</c> (Single, how sure a detector was that made the label; not a number for a
    /// person's). <c>ImageWidth</c> and <c>ImageHeight</c> (Int32) are what the annotation says, 0 where it says
    /// nothing. Images without objects are rows too.
    /// </summary>
    /// <exception cref="DirectoryNotFoundException">The folder does not exist.</exception>
    /// <exception cref="FileNotFoundException">
    /// The split, or a file that is needed, does not exist; or, as rows are read, an image.
    /// </exception>
    /// <param name="onInvalid">What happens to annotations that are not as they must be.</param>
    /// <exception cref="FormatException">
    /// A file is not of the format; the message names file and line. Thrown here or as rows are read.
    /// </exception>
    public static IDataView Load(
        DataOperationsCatalog catalog, DetectionFormat format, AnnotationSource source, InvalidSampleHandling onInvalid)
    {
        var reading = new LoggedReading(EnvironmentSettings.EnvironmentOf(catalog), onInvalid == InvalidSampleHandling.Skip);
        IEnumerable<AnnotatedImage> images = AnnotationReader.Read(format, source with { Notes = reading.Notes });
        return catalog.LoadFromEnumerable(reading.Of(images).Select(image => new DetectionRow(image)));
    }

    /// <summary>Whether a data set has a part; what is to be said of that is logged.</summary>
    /// <exception cref="FormatException">A file that would tell is not of the format; the message names file and line.</exception>
    public static bool Has(DataOperationsCatalog catalog, DetectionFormat format, AnnotationSource source)
    {
        var reading = new LoggedReading(EnvironmentSettings.EnvironmentOf(catalog), skips: false);
        bool has = AnnotationSplits.Exists(format, source with { Notes = reading.Notes });
        if (!has) reading.Say();
        return has;
    }

    /// <summary>The annotated images of a data view with the columns that <see cref="Load"/> gives; all but the first three may be
    /// missing.</summary>
    /// <exception cref="ArgumentException">One of the first three columns is missing, or one is of another type.</exception>
    public static IEnumerable<AnnotatedImage> Read(DataOperationsCatalog catalog, IDataView data)
    {
        foreach (string name in (string[])[nameof(DetectionRow.ImagePath), nameof(DetectionRow.Label), nameof(DetectionRow.BoundingBoxes)])
        {
            if (data.Schema.GetColumnOrNull(name) is null) throw new ArgumentException($"The data have no column '{name}'.", nameof(data));
        }

        if (data.Schema[nameof(DetectionRow.Label)].Type is VectorDataViewType { ItemType: KeyDataViewType })
            data = new MLContext().Transforms.Conversion.MapKeyToValue(nameof(DetectionRow.Label)).Fit(data).Transform(data);
        return catalog.CreateEnumerable<LabelledRow>(data, reuseRowObject: false, ignoreMissingColumns: true).Select(row => row.ToImage());
    }
}
