using Microsoft.ML.Data;
using Microsoft.ML.Distillation.Images;

namespace Microsoft.ML.Distillation.Rows;

/// <summary>Reads and checks the image of the row on which a cursor stands.</summary>
internal sealed class ImageReader(DataViewRowCursor cursor, DataViewSchema.Column column, InvalidSamples invalid) : IDisposable
{
    private readonly ValueGetter<MLImage> _get = cursor.GetGetter<MLImage>(column);
    private MLImage? _image;

    /// <summary>The row's image, or null where it is left out.</summary>
    /// <param name="where">The row, for messages.</param>
    /// <param name="path">The image's file, where it is known.</param>
    /// <exception cref="InvalidDataException">The image cannot be used, and invalid samples are errors.</exception>
    public RgbImage? Read(string where, ReadOnlyMemory<char> path)
    {
        where = $"{where}, column '{column.Name}'";
        string file = path.ToString();
        bool known = Path.IsPathRooted(file) && File.Exists(file);
        RgbImage? pixels;
        try
        {
            // The getter disposes the image before.
            _get(ref _image!);
            pixels = _image is null ? null : MLImagePixels.ToRgb(_image);
            if (known && ImageFile.Problem(file) is { } problem) throw new InvalidDataException(problem + ".");
        }
        catch (Exception exception) when (exception is not (OutOfMemoryException or OperationCanceledException))
        {
            // The getter may have disposed it already; disposing twice is harmless.
            _image?.Dispose();
            _image = null;
            string reason = Path.IsPathRooted(file) && !known ? "the file does not exist." : $"the image cannot be read: {exception.Message}";
            invalid.AddImage($"{where}: {reason}", exception);
            return null;
        }

        if (pixels is null) invalid.AddImage($"{where}: there is no image.");
        return pixels;
    }

    /// <inheritdoc/>
    public void Dispose() => _image?.Dispose();
}
