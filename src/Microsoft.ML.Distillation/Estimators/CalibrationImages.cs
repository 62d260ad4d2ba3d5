using Microsoft.ML.Distillation.Data;
using Microsoft.ML.Distillation.Images;
using Microsoft.ML.Distillation.Rows;

namespace Microsoft.ML.Distillation.Estimators;

/// <summary>The first images of a data view, in memory, without objects.</summary>
internal sealed class CalibrationImages : IDetectionDataset
{
    private readonly List<RgbImage> _images = [];

    /// <exception cref="ArgumentException">The column is missing or holds no images.</exception>
    /// <exception cref="InvalidDataException">There are no rows, or one has no image, or one that cannot be decoded.</exception>
    public CalibrationImages(IDataView view, string columnName, int count, IReadOnlyList<string> classNames)
    {
        ClassNames = classNames;
        using var rows = new RowReader(view, new RowColumns { Image = columnName });
        while (_images.Count < count && rows.MoveNext()) _images.Add(rows.ReadImage());
        Warning = rows.TurnedImages;
        if (_images.Count == 0) throw new InvalidDataException("There are no images to calibrate with: the data have no rows.");
    }

    /// <summary>What is to be said of the images; null: nothing.</summary>
    public string? Warning { get; }

    public int Count => _images.Count;

    public IReadOnlyList<string> ClassNames { get; }

    public ImageSize SizeOf(int index) => new(_images[index].Width, _images[index].Height);

    public Annotation AnnotationOf(int index) => Annotation.Empty;

    public RgbImage? TryRead(int index) => _images[index];

    public void Dispose() => _images.Clear();
}
