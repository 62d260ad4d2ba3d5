using Microsoft.ML.Data;
using Microsoft.ML.Distillation.Images;

namespace Microsoft.ML.Distillation.Tool.Models;

/// <summary>Finds and reads image files.</summary>
internal static class InputImages
{
    private static readonly string[] Extensions = [".jpg", ".jpeg", ".png", ".bmp"];

    /// <summary>The images of a folder in the order of their names, or the one image that the path names.</summary>
    /// <exception cref="FileNotFoundException">There is no such file or folder, or no image in it.</exception>
    public static IReadOnlyList<string> Find(string path)
    {
        if (File.Exists(path)) return [path];
        if (!Directory.Exists(path)) throw new FileNotFoundException($"There is no image file or folder '{path}'.", path);
        string[] images = [.. Directory.EnumerateFiles(path)
            .Where(file => Extensions.Contains(Path.GetExtension(file), StringComparer.OrdinalIgnoreCase))
            .Order(StringComparer.Ordinal)];
        return images.Length > 0 ? images : throw new FileNotFoundException($"The folder '{path}' holds no image ({string.Join(", ", Extensions)}).", path);
    }

    /// <summary>Throws unless the file is there to its end: ML.NET does not name one that is missing, and fills up one that was cut off.</summary>
    /// <exception cref="FileNotFoundException">There is no such file.</exception>
    /// <exception cref="FormatException">The file ends before its image does.</exception>
    public static void Check(string path)
    {
        if (!File.Exists(path)) throw new FileNotFoundException($"There is no image file '{path}'.", path);
        if (ImageEnd.IsMissing(path)) throw new FormatException($"'{path}' is no whole image: {ImageEnd.Problem}.");
    }

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
}
