using Microsoft.ML.Data;

namespace Microsoft.ML.Distillation.Tool.Models;

/// <summary>Finds and reads image files.</summary>
internal static class InputImages
{
    /// <summary>Whether a file's name is one of an image.</summary>
    public static bool IsImage(string path) => ImageLoader.Extensions.Contains(Path.GetExtension(path), StringComparer.OrdinalIgnoreCase);

    /// <summary>The images of a folder in the order of their names, or the one image that the path names.</summary>
    /// <exception cref="FileNotFoundException">There is no such file or folder, or no image in it.</exception>
    public static IReadOnlyList<string> Find(string path)
    {
        if (File.Exists(path)) return [path];
        if (!Directory.Exists(path)) throw new FileNotFoundException($"There is no image file or folder '{path}'.", path);
        string[] images = [.. Directory.EnumerateFiles(path)
            .Where(IsImage).Order(StringComparer.Ordinal)];
        return images.Length > 0 ? images
            : throw new FileNotFoundException($"The folder '{path}' holds no image ({string.Join(", ", ImageLoader.Extensions)}).", path);
    }
}

/// <summary>
/// The images of a folder and its subfolders, or of a text file with a path in each line, one after the other: at no time more than the
/// names of one folder are in memory. The order is always the same.
/// </summary>
internal sealed class ImageList
{
    private readonly string _path;

    /// <exception cref="FileNotFoundException">There is no such folder or file.</exception>
    public ImageList(string path)
    {
        if (!Directory.Exists(path) && !File.Exists(path)) throw new FileNotFoundException(
            $"There is no folder, image or list of images '{path}'.", path);
        _path = Path.GetFullPath(path);
        Root = Directory.Exists(_path) ? _path : Path.GetDirectoryName(_path)!;
    }

    /// <summary>The folder to which names are relative.</summary>
    public string Root { get; }

    /// <summary>The names, as <see cref="PathOf"/> takes them.</summary>
    public IEnumerable<string> Names()
    {
        if (Directory.Exists(_path)) return Walk("");
        return InputImages.IsImage(_path) ? [Path.GetFileName(_path)] : Lines();
    }

    /// <summary>The file of a name.</summary>
    public string PathOf(string name) => Path.GetFullPath(Path.Combine(Root, name));

    private IEnumerable<string> Walk(string folder)
    {
        string path = Path.Combine(Root, folder);
        foreach (string file in Directory.EnumerateFiles(path).Where(InputImages.IsImage).Select(Path.GetFileName).OfType<string>()
            .Order(StringComparer.Ordinal))
            yield return Join(folder, file);
        foreach (string child in Directory.EnumerateDirectories(path).Select(Path.GetFileName).OfType<string>()
            .Order(StringComparer.Ordinal))
        {
            foreach (string name in Walk(Join(folder, child))) yield return name;
        }
    }

    private IEnumerable<string> Lines()
        => File.ReadLines(_path).Select(line => line.Trim()).Where(line => line.Length > 0);

    private static string Join(string folder, string name) => folder.Length == 0 ? name : $"{folder}/{name}";
}
