using Microsoft.ML.Distillation.Files;

namespace Microsoft.ML.Distillation.Tool.Models;

/// <summary>Finds and reads image files.</summary>
internal static class InputImages
{
    /// <summary>
    /// The images of a folder, where it has none those of its subfolders, in the order of their paths; or the one image that the path
    /// names.
    /// </summary>
    /// <param name="below">Whether those of its subfolders are always among them.</param>
    /// <param name="passedOver">A folder in it that is not looked into, as what is written goes there.</param>
    /// <exception cref="FileNotFoundException">There is no such file or folder, or no image in it.</exception>
    public static IReadOnlyList<string> Find(string path, bool below = false, string? passedOver = null)
    {
        if (File.Exists(path)) return [path];
        if (!Directory.Exists(path)) throw new FileNotFoundException($"There is no image file or folder '{path}'.", path);
        IReadOnlyList<string> images = below ? [] : ImageLoader.FilesIn(path);
        if (images.Count == 0) images = [.. FolderListing.FoldersBelow(path)
            .Where(folder => passedOver is null || RealPath.Same(passedOver, path) || !RealPath.IsWithin(folder, passedOver))
            .SelectMany(ImageLoader.FilesIn).Order(StringComparer.Ordinal)];
        return images.Count > 0 ? images
            : throw new FileNotFoundException($"The folder '{path}' holds no image ({string.Join(", ", ImageLoader.Extensions)}).", path);
    }

    /// <summary>The deepest folder that holds all files; null for files of several drives.</summary>
    public static string? CommonFolder(IEnumerable<string> files)
    {
        string? common = null;
        foreach (string file in files)
        {
            string? folder = Path.GetDirectoryName(Path.GetFullPath(file));
            common ??= folder;
            while (common is not null && Path.GetRelativePath(common, folder!).StartsWith("..", StringComparison.Ordinal))
                common = Path.GetDirectoryName(common);
        }

        return common;
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
    /// <exception cref="FormatException">It is a device or a pipe.</exception>
    public ImageList(string path)
    {
        if (!Directory.Exists(path) && !File.Exists(path)) throw new FileNotFoundException(
            $"There is no folder, image or list of images '{path}'.", path);
        if (FileKind.IsSpecial(path)) throw new FormatException($"'{path}' is a device, a pipe or a socket, not a file.");
        _path = Path.GetFullPath(path);
        Root = Directory.Exists(_path) ? _path : Path.GetDirectoryName(_path)!;
    }

    /// <summary>The folder to which names are relative.</summary>
    public string Root { get; }

    /// <summary>The names, as <see cref="PathOf"/> takes them.</summary>
    public IEnumerable<string> Names()
    {
        if (Directory.Exists(_path)) return Walk();
        return ImageLoader.IsImage(_path) ? [Path.GetFileName(_path)] : Lines();
    }

    /// <summary>The file of a name.</summary>
    public string PathOf(string name) => Path.GetFullPath(Path.Combine(Root, name));

    private IEnumerable<string> Walk()
        => from folder in FolderListing.FoldersBelow(Root)
           let name = folder == Root ? "" : Path.GetRelativePath(Root, folder).Replace('\\', '/')
           from file in ImageLoader.FilesIn(folder)
           select Join(name, Path.GetFileName(file));

    private IEnumerable<string> Lines()
        => File.ReadLines(_path).Select(line => line.Trim()).Where(line => line.Length > 0);

    private static string Join(string folder, string name) => folder.Length == 0 ? name : $"{folder}/{name}";
}
