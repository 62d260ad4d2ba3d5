using Microsoft.ML.Distillation.Images;

namespace Microsoft.ML.Distillation.Rows;

/// <summary>What the rows of a data view have in common whose images are read from files when they are due.</summary>
/// <param name="Column">The column of images, for messages.</param>
/// <param name="Option">The option that named the data, for messages; null where there is but one set of data.</param>
/// <param name="Loader">How the files are read.</param>
internal sealed record ImageRows(string Column, string? Option, UprightColumn Loader)
{
    /// <summary>A row, for messages.</summary>
    public static string Where(string? option, long row, string path)
        => $"{(option is null ? "Row" : $"{option}, row")} {row}{(path.Length == 0 ? "" : $" ('{path}')")}";

    /// <summary>What is wrong with an image that could not be read.</summary>
    /// <param name="file">Its file, where it is known.</param>
    public static string Problem(Exception exception, string? file)
        => exception is UnreadableImageException unreadable ? $"the image cannot be read: {unreadable.Problem}"
            : exception is FileNotFoundException || file is not null && !File.Exists(file) ? "the file does not exist"
            : $"the image cannot be read: {exception.Message.TrimEnd('.')}";

    /// <summary>The error of a row whose image cannot be used.</summary>
    public static InvalidDataException Invalid(string where, string column, string problem, Exception? inner)
        => new($"{where}, column '{column}': {problem}.", inner);
}

/// <summary>The image of a row, in its file. May be used from several threads at once.</summary>
/// <param name="Rows">What all rows have in common.</param>
/// <param name="Row">The row's number, from 0.</param>
/// <param name="Name">What messages call the image; may be empty.</param>
/// <param name="File">The file.</param>
internal sealed record ImageRow(ImageRows Rows, long Row, string Name, string File)
{
    /// <summary>The size of the upright image; no more than the header is read.</summary>
    /// <exception cref="InvalidDataException">The file is missing, no image, or one that is too large.</exception>
    public ImageSize ReadSize() => Read(file =>
    {
        file.CheckSize();
        return file.Size;
    });

    /// <summary>The pixels of the upright image.</summary>
    /// <exception cref="InvalidDataException">The file is missing, no image, one that is too large or broken, or ends before it
    /// does.</exception>
    public RgbImage ReadPixels() => Read(file => file.Decode());

    /// <summary>Whether the file holds just these pixels, upright.</summary>
    public bool Holds(RgbImage image)
    {
        try
        {
            RgbImage read = ReadPixels();
            return read.Width == image.Width && read.Height == image.Height && read.Pixels.AsSpan().SequenceEqual(image.Pixels);
        }
        catch (InvalidDataException)
        {
            return false;
        }
    }

    /// <summary>The row, for messages.</summary>
    public string Where => ImageRows.Where(Rows.Option, Row, Name);

    /// <summary>The error that something is wrong with the image.</summary>
    public InvalidDataException Invalid(string problem, Exception? inner = null) => ImageRows.Invalid(Where, Rows.Column, problem, inner);

    private T Read<T>(Func<ImageFile, T> read)
    {
        try
        {
            using var file = ImageFile.Open(File, Rows.Loader.MaxPixels);
            return read(file);
        }
        catch (Exception exception) when (exception is not (OutOfMemoryException or OperationCanceledException))
        {
            throw Invalid(ImageRows.Problem(exception, File), exception);
        }
    }
}
