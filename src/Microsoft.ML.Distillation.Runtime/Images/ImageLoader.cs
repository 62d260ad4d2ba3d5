using Microsoft.ML.Data;
using Microsoft.ML.Distillation.Images;

namespace Microsoft.ML.Distillation;

/// <summary>
/// Reads image files, upright as viewers show them, and says which one cannot be read: ML.NET's own loading does not turn a photo as its
/// Exif data ask for, does not name a file that is missing, and fills one that was cut off up with grey.
/// </summary>
public static class ImageLoader
{
    /// <summary>How many pixels an image may have where nothing else is said: 200 million.</summary>
    public const long DefaultMaxPixels = ImageFile.DefaultMaxPixels;

    /// <summary>The endings of the files that are taken for images where a folder is looked through, lower case, with their dots.</summary>
    public static IReadOnlyList<string> Extensions => ImageFiles.Extensions;

    /// <summary>
    /// The images in a folder, without its subfolders, in the order of their names. Names that begin with a dot are passed over. Images of
    /// kinds that are not read (HEIC, AVIF, TIFF and such) are among them, unless one of the same name that is read lies beside: reading
    /// them says what to do.
    /// </summary>
    /// <param name="folder">The folder.</param>
    /// <exception cref="DirectoryNotFoundException">There is no such folder.</exception>
    public static IReadOnlyList<string> FilesIn(string folder)
    {
        ArgumentException.ThrowIfNullOrEmpty(folder);
        return [.. ImageFiles.In(folder)];
    }

    /// <summary>Whether a file's name is one of an image, by its ending; kinds that are not read are among them.</summary>
    /// <param name="path">The file's name or path.</param>
    public static bool IsImage(string path)
    {
        ArgumentNullException.ThrowIfNull(path);
        return ImageFiles.IsImage(path);
    }

    /// <summary>Reads an image.</summary>
    /// <param name="path">A JPEG, PNG, BMP, WebP or GIF file, or of another kind that SkiaSharp reads; of several pictures the
    /// first.</param>
    /// <param name="maxPixels">How many pixels it may have: width times height, as its header says, before any is decoded.</param>
    /// <returns>The upright image, opaque, which belongs to the caller.</returns>
    /// <exception cref="FileNotFoundException">There is no such file.</exception>
    /// <exception cref="UnreadableImageException">The file is no image, a broken or too large one, or ends before it does.</exception>
    public static MLImage Load(string path, long maxPixels = DefaultMaxPixels)
    {
        ArgumentException.ThrowIfNullOrEmpty(path);
        ArgumentOutOfRangeException.ThrowIfLessThan(maxPixels, 1);
        return ImageFile.ReadMLImage(path, maxPixels);
    }

    /// <summary>Reads an image from the content of a file, one that was sent to a server for example.</summary>
    /// <param name="content">The content of a file as <see cref="Load(string, long)"/> takes it.</param>
    /// <param name="maxPixels">How many pixels it may have: width times height, as its header says, before any is decoded.</param>
    /// <returns>The upright image, opaque, which belongs to the caller.</returns>
    /// <exception cref="UnreadableImageException">It is no image, a broken or too large one, or ends before it does.</exception>
    public static MLImage Decode(ReadOnlySpan<byte> content, long maxPixels = DefaultMaxPixels)
    {
        ArgumentOutOfRangeException.ThrowIfLessThan(maxPixels, 1);
        return ImageFile.ReadMLImage(content, "the image", maxPixels);
    }

    /// <summary>Throws unless a file is an image to its end, for what ML.NET will read: it costs a part of the reading.</summary>
    /// <param name="path">The file.</param>
    /// <exception cref="FileNotFoundException">There is no such file.</exception>
    /// <exception cref="UnreadableImageException">The file is no image, a broken or too large one, or ends before it does.</exception>
    public static void Check(string path)
    {
        ArgumentException.ThrowIfNullOrEmpty(path);
        if (ImageFile.Problem(path) is { } problem) throw new UnreadableImageException(path, problem);
    }
}
