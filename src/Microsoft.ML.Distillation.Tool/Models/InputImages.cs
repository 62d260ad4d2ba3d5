using Microsoft.ML.Data;

namespace Microsoft.ML.Distillation.Tool.Models;

/// <summary>Finds and reads image files.</summary>
internal static class InputImages
{
    private static readonly string[] Extensions = [".jpg", ".jpeg", ".png", ".bmp"];

    /// <summary>Whether a file's name is one of an image.</summary>
    public static bool IsImage(string path) => Extensions.Contains(Path.GetExtension(path), StringComparer.OrdinalIgnoreCase);

    /// <summary>The images of a folder in the order of their names, or the one image that the path names.</summary>
    /// <exception cref="FileNotFoundException">There is no such file or folder, or no image in it.</exception>
    public static IReadOnlyList<string> Find(string path)
    {
        if (File.Exists(path)) return [path];
        if (!Directory.Exists(path)) throw new FileNotFoundException($"There is no image file or folder '{path}'.", path);
        string[] images = [.. Directory.EnumerateFiles(path)
            .Where(IsImage).Order(StringComparer.Ordinal)];
        return images.Length > 0 ? images : throw new FileNotFoundException($"The folder '{path}' holds no image ({string.Join(", ", Extensions)}).", path);
    }
}
