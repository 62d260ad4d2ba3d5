using Microsoft.ML.Data;
using Microsoft.ML.Distillation.Images;

namespace Microsoft.ML.Distillation;

/// <summary>
/// Reads image files, and says which one cannot be read: ML.NET's own loading does not name a file that is missing, and fills one that was
/// cut off up with grey.
/// </summary>
public static class ImageLoader
{
    /// <summary>The endings of the files that are taken for images where a folder is looked through, lower case, with their dots.</summary>
    public static IReadOnlyList<string> Extensions => ImageFiles.Extensions;

    /// <summary>Reads an image.</summary>
    /// <param name="path">A JPEG, PNG or BMP file, or of another kind that SkiaSharp reads.</param>
    /// <returns>The image, which belongs to the caller.</returns>
    /// <exception cref="FileNotFoundException">There is no such file.</exception>
    /// <exception cref="UnreadableImageException">The file is no image, a broken one, or ends before it does.</exception>
    public static MLImage Load(string path)
    {
        ArgumentException.ThrowIfNullOrEmpty(path);
        return ImageFile.ReadMLImage(path);
    }

    /// <summary>Throws unless a file is an image to its end, for what ML.NET will read: it costs a part of the reading.</summary>
    /// <param name="path">The file.</param>
    /// <exception cref="FileNotFoundException">There is no such file.</exception>
    /// <exception cref="UnreadableImageException">The file is no image, a broken one, or ends before it does.</exception>
    public static void Check(string path)
    {
        ArgumentException.ThrowIfNullOrEmpty(path);
        if (ImageFile.Problem(path) is { } problem) throw new UnreadableImageException(path, problem);
    }
}
