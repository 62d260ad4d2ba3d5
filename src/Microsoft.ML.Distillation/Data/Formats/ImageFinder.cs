namespace Microsoft.ML.Distillation.Data.Formats;

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
