namespace Microsoft.ML.Distillation.Files;

/// <summary>
/// Finds the files and folders of a folder by their names, however their accents are encoded (<see cref="FileNames"/>). The folder is
/// listed when a name is first not there as it is given.
/// </summary>
/// <param name="folder">The folder, which need not exist.</param>
/// <param name="ignoreCase">Whether upper and lower case are the same where no name is there as it is given.</param>
/// <param name="accepts">Which names count when it is listed; null: all.</param>
internal sealed class FolderIndex(string folder, bool ignoreCase = false, Func<string, bool>? accepts = null)
{
    private Dictionary<string, string>? _byKey;

    /// <summary>The path of what has a name, or null.</summary>
    public string? Find(string name)
    {
        string exact = Path.Combine(folder, name);
        if (accepts?.Invoke(name) != false && Path.Exists(exact)) return exact;
        return FindListed(name);
    }

    /// <summary>The same, looked up in the listing alone.</summary>
    public string? FindListed(string name)
    {
        _byKey ??= List();
        return _byKey.GetValueOrDefault(FileNames.Key(name));
    }

    private Dictionary<string, string> List()
    {
        var byKey = new Dictionary<string, string>(ignoreCase ? StringComparer.OrdinalIgnoreCase : StringComparer.Ordinal);
        if (!Directory.Exists(folder)) return byKey;
        foreach (string path in Directory.EnumerateFileSystemEntries(folder).Order(StringComparer.Ordinal))
        {
            string name = Path.GetFileName(path);
            if (!FolderListing.IsHidden(name) && accepts?.Invoke(name) != false) byKey.TryAdd(FileNames.Key(name), path);
        }

        return byKey;
    }
}
