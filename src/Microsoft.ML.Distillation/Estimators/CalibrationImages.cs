using Microsoft.ML.Data;
using Microsoft.ML.Distillation.Data;
using Microsoft.ML.Transforms.Image;

namespace Microsoft.ML.Distillation.Estimators;

/// <summary>The first images of a data view, in memory, without objects.</summary>
internal sealed class CalibrationImages : IDetectionDataset
{
    private readonly List<RgbImage> _images = [];

    /// <exception cref="ArgumentException">The column is missing or holds no images.</exception>
    /// <exception cref="InvalidDataException">There are no rows, or one has no image.</exception>
    public CalibrationImages(IDataView view, string columnName, int count, IReadOnlyList<string> classNames)
    {
        ClassNames = classNames;
        DataViewSchema.Column column = view.Schema.GetColumnOrNull(columnName)
            ?? throw new ArgumentException($"The data have no column '{columnName}', which must be an image (MLImage, as LoadImages makes it).");
        if (column.Type is not ImageDataViewType)
            throw new ArgumentException($"The column '{columnName}' is {column.Type}; it must be an image (MLImage, as LoadImages makes it).");
        using DataViewRowCursor cursor = view.GetRowCursor([column]);
        ValueGetter<MLImage> get = cursor.GetGetter<MLImage>(column);
        MLImage? image = null;
        while (_images.Count < count && cursor.MoveNext())
        {
            get(ref image!);
            if (image is null) throw new InvalidDataException($"Row {_images.Count} has no image in the column '{columnName}'.");
            _images.Add(MLImagePixels.ToRgb(image));
        }

        image?.Dispose();
        if (_images.Count == 0) throw new InvalidDataException("There are no images to calibrate with: the data have no rows.");
    }

    public int Count => _images.Count;

    public IReadOnlyList<string> ClassNames { get; }

    public ImageSize SizeOf(int index) => new(_images[index].Width, _images[index].Height);

    public Annotation AnnotationOf(int index) => Annotation.Empty;

    public RgbImage Read(int index) => _images[index];

    public void Dispose() => _images.Clear();
}
