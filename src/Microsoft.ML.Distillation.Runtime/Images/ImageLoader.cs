using Microsoft.ML.Data;

namespace Microsoft.ML.Distillation.Images;

/// <summary>Reads image files, and says which one cannot be read.</summary>
internal static class ImageLoader
{
    /// <summary>Reads an image.</summary>
    /// <exception cref="FileNotFoundException">There is no such file.</exception>
    /// <exception cref="FormatException">The file is no image, or ends before it does.</exception>
    public static MLImage Load(string path)
    {
        Check(path);
        try
        {
            return MLImage.CreateFromFile(path);
        }
        catch (ArgumentException error)
        {
            throw new FormatException($"'{path}' is no image that can be read.", error);
        }
    }

    /// <summary>The pixels of an image file.</summary>
    /// <inheritdoc cref="Load"/>
    public static RgbImage Read(string path)
    {
        using MLImage image = Load(path);
        return MLImagePixels.ToRgb(image);
    }

    /// <summary>Throws unless the file is there to its end: ML.NET does not name one that is missing, and fills up one that was cut off.</summary>
    /// <inheritdoc cref="Load"/>
    public static void Check(string path)
    {
        if (!File.Exists(path)) throw new FileNotFoundException($"There is no image file '{path}'.", path);
        if (ImageEnd.IsMissing(path)) throw new FormatException($"'{path}' is no whole image: {ImageEnd.Problem}.");
    }
}
