using Microsoft.ML.Distillation.Files;

namespace Microsoft.ML.Distillation.Images;

/// <summary>
/// Finds images that an annotation file names, in the folders where they may be. The name may be a path of another machine or system, or
/// an address: of the folders in it as many as possible count, so that equal names in different folders are told apart.
/// </summary>
internal sealed class ImageFinder
{
    private readonly List<string> _folders;
    private readonly Dictionary<string, ImageFiles> _images = new(StringComparer.Ordinal);
    private readonly Dictionary<string, string?> _subfolders = new(StringComparer.Ordinal);

    /// <param name="folders">Where to look, in this order; those that do not exist are passed over.</param>
    public ImageFinder(params IEnumerable<string> folders)
        => _folders = [.. folders.Select(Path.GetFullPath).Distinct(StringComparer.Ordinal).Where(Directory.Exists)];

    /// <summary>The path of an image; where it is nowhere, the path at which it was to be expected.</summary>
    public string Find(string name)
    {
        string[] readings = [.. Readings(name)];
        for (int i = 0; i < _folders.Count; i++)
        {
            string path = Path.Combine(_folders[i], readings[0]);
            if (ImageFiles.IsImage(path) && File.Exists(path)) return Preferred(i, path);
        }

        foreach (string ending in readings.SelectMany(Endings))
        {
            int slash = ending.LastIndexOf('/');
            for (int i = 0; i < _folders.Count; i++)
            {
                if (Subfolder(_folders[i], ending[..Math.Max(slash, 0)]) is { } folder
                    && ImagesOf(folder).Find(ending[(slash + 1)..]) is { } found)
                    return Preferred(i, found);
            }
        }

        return _folders.Count == 0 ? readings[0] : new ImageFiles(_folders[^1]).Expected(readings[0].TrimStart('/'));
    }

    /// <summary>A name as paths: as it stands; of an address also without escapes and what follows the path.</summary>
    private static IEnumerable<string> Readings(string name)
    {
        string path = name.Replace('\\', '/');
        yield return path;
        if (!path.Contains("://", StringComparison.Ordinal)) yield break;
        yield return Uri.UnescapeDataString(path);
        int end = path.IndexOfAny(['?', '#']);
        if (end > 0) yield return Uri.UnescapeDataString(path[..end]);
    }

    /// <summary>A path, then without its first folder, and so on to the bare name; of steps up only what follows.</summary>
    private static IEnumerable<string> Endings(string path)
    {
        string[] parts = [.. path.Split('/').Where(part => part.Length > 0 && part != ".")];
        for (int i = Array.LastIndexOf(parts, "..") + 1; i < parts.Length; i++) yield return string.Join('/', parts[i..]);
    }

    private string? Subfolder(string folder, string path)
    {
        if (path.Length == 0) return folder;
        string place = Path.Combine(folder, path);
        if (_subfolders.TryGetValue(place, out string? known)) return known;
        string? found = folder;
        foreach (string part in path.Split('/')) found = found is null ? null : new FolderIndex(found).Find(part);
        return _subfolders[place] = Directory.Exists(found) ? found : null;
    }

    private ImageFiles ImagesOf(string folder)
    {
        if (!_images.TryGetValue(folder, out ImageFiles? images)) _images[folder] = images = new ImageFiles(folder);
        return images;
    }

    /// <summary>Where one image was, the next will be: this folder is asked first from now on.</summary>
    private string Preferred(int index, string path)
    {
        if (index == 0) return path;
        string folder = _folders[index];
        _folders.RemoveAt(index);
        _folders.Insert(0, folder);
        return path;
    }
}
