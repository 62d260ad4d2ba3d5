using Microsoft.ML.Data;
using Microsoft.ML.Distillation.Data;
using Microsoft.ML.Distillation.Images;
using Microsoft.ML.Distillation.Rows;
using Microsoft.ML.Transforms.Image;

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
        DataViewSchema.Column column = view.Schema.GetColumnOrNull(columnName)
            ?? throw new ArgumentException($"The data have no column '{columnName}', which must be an image (MLImage, as LoadImages makes it).");
        if (column.Type is not ImageDataViewType)
            throw new ArgumentException($"The column '{columnName}' is {column.Type}; it must be an image (MLImage, as LoadImages makes it).");
        DataViewSchema.Column? path = view.Schema.GetColumnOrNull(new DataViewIngestOptions().ImagePathColumnName) is { Type: TextDataViewType } text ? text : null;
        using DataViewRowCursor cursor = view.GetRowCursor(path is { } file ? [column, file] : [column]);
        ValueGetter<MLImage> get = cursor.GetGetter<MLImage>(column);
        ValueGetter<ReadOnlyMemory<char>>? getPath = path is { } named ? cursor.GetGetter<ReadOnlyMemory<char>>(named) : null;
        MLImage? image = null;
        while (_images.Count < count && cursor.MoveNext())
        {
            try
            {
                get(ref image!);
            }
            catch (Exception error) when (error is ArgumentException or InvalidOperationException or NotSupportedException)
            {
                throw new InvalidDataException($"{Row(getPath)}: the image could not be decoded.", error);
            }

            if (image is null) throw new InvalidDataException($"{Row(getPath)} has no image in the column '{columnName}'.");
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

    /// <summary>The row that is read, with its image's file where it is known, for messages.</summary>
    private string Row(ValueGetter<ReadOnlyMemory<char>>? getPath)
    {
        ReadOnlyMemory<char> path = default;
        getPath?.Invoke(ref path);
        return path.IsEmpty ? $"Row {_images.Count}" : $"Row {_images.Count} ('{path}')";
    }
}
