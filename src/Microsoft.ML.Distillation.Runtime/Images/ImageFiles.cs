namespace Microsoft.ML.Distillation.Images;

/// <summary>Finds the images of a folder by their names, in upper or lower case, with or without an extension.</summary>
internal sealed class ImageFiles(string folder)
{
    /// <summary>
    /// The endings of the files that are taken for images, wherever a folder is listed; the decoder looks at the content alone.
    /// </summary>
    public static readonly IReadOnlyList<string> Extensions = [".jpg", ".jpeg", ".png", ".bmp", ".webp"];

    private Dictionary<string, string>? _byName;

    /// <summary>The folder.</summary>
    public string Folder => folder;

    /// <summary>Whether a file's name is one of an image.</summary>
    public static bool IsImage(string path) => Extensions.Contains(Path.GetExtension(path), StringComparer.OrdinalIgnoreCase);

    /// <summary>The images in a folder and its subfolders, in the order of their paths.</summary>
    public static IEnumerable<string> Below(string folder)
        => Directory.EnumerateFiles(folder, "*", SearchOption.AllDirectories).Where(IsImage).Order(StringComparer.Ordinal);

    /// <summary>The first of the names that is one of an image, or null. A name may have no extension, or a wrong one.</summary>
    public string? Find(params ReadOnlySpan<string> names)
    {
        foreach (string name in names)
        {
            string exact = Path.Combine(folder, name);
            if (IsImage(name) && File.Exists(exact)) return exact;
        }

        _byName ??= List();
        foreach (string name in names)
        {
            string stem = Path.GetFileNameWithoutExtension(name);
            foreach (string candidate in (ReadOnlySpan<string>)[name, .. WithExtensions(stem), .. WithExtensions(name)])
            {
                if (_byName.TryGetValue(candidate, out string? path)) return path;
            }
        }

        return null;
    }

    /// <summary>The path at which an image is to be expected that was not found.</summary>
    public string Expected(string name) => Path.Combine(folder, IsImage(name) ? name : name + Extensions[0]);

    /// <summary>The last part of a path, which may be one of another system.</summary>
    public static string NameIn(string path) => path[(path.LastIndexOfAny(['/', '\\']) + 1)..];

    private static IEnumerable<string> WithExtensions(string stem) => Extensions.Select(extension => stem + extension);

    private Dictionary<string, string> List()
    {
        var byName = new Dictionary<string, string>(StringComparer.OrdinalIgnoreCase);
        if (!Directory.Exists(folder)) return byName;
        foreach (string path in Directory.EnumerateFiles(folder).Where(IsImage).Order(StringComparer.Ordinal))
            byName.TryAdd(Path.GetFileName(path), path);
        return byName;
    }
}

/// <summary>Finds images that an annotation file names, with or without folders, in the folders where they may be.</summary>
internal sealed class ImageFinder
{
    private readonly List<ImageFiles> _folders;

    /// <param name="folders">Where to look, in this order; those that do not exist are passed over.</param>
    public ImageFinder(params IEnumerable<string> folders)
        => _folders = [.. folders.Distinct(StringComparer.Ordinal).Where(Directory.Exists).Select(folder => new ImageFiles(folder))];

    /// <summary>The path of an image; where it is nowhere, the path at which it was to be expected.</summary>
    public string Find(string name)
    {
        string relative = name.Replace('\\', '/');
        for (int i = 0; i < _folders.Count; i++)
        {
            string path = Path.Combine(_folders[i].Folder, relative);
            if (!ImageFiles.IsImage(path) || !File.Exists(path)) continue;
            Prefer(i);
            return path;
        }

        for (int i = 0; i < _folders.Count; i++)
        {
            if (_folders[i].Find(ImageFiles.NameIn(relative)) is not { } path) continue;
            Prefer(i);
            return path;
        }

        return _folders.Count == 0 ? relative : new ImageFiles(_folders[^1].Folder).Expected(relative);
    }

    /// <summary>Where one image was, the next will be: this folder is asked first from now on.</summary>
    private void Prefer(int index)
    {
        if (index == 0) return;
        ImageFiles folder = _folders[index];
        _folders.RemoveAt(index);
        _folders.Insert(0, folder);
    }
}
