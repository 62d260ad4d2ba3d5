namespace Microsoft.ML.Distillation.Files;

/// <summary>
/// Lists folders as people mean them: names that begin with a dot (what macOS and notebooks leave beside files) are passed over, links
/// are followed but not in circles, and the order is always the same.
/// </summary>
internal static class FolderListing
{
    /// <summary>Whether a name is one of those that are passed over.</summary>
    public static bool IsHidden(string path) => Path.GetFileName(path.AsSpan()).StartsWith('.');

    /// <summary>The files in a folder, in the order of their paths.</summary>
    public static IEnumerable<string> Files(string folder, string pattern = "*")
        => Directory.EnumerateFiles(folder, pattern).Where(path => !IsHidden(path)).Order(StringComparer.Ordinal);

    /// <summary>The folders in a folder, in the order of their paths.</summary>
    public static IEnumerable<string> Folders(string folder)
        => Directory.EnumerateDirectories(folder).Where(path => !IsHidden(path)).Order(StringComparer.Ordinal);

    /// <summary>The files in a folder and in the folders below it, in the order of their paths.</summary>
    public static IEnumerable<string> Below(string folder, string pattern = "*")
        => FoldersBelow(folder).SelectMany(part => Files(part, pattern)).Order(StringComparer.Ordinal);

    /// <summary>The folder and those below it, each before those in it.</summary>
    public static IEnumerable<string> FoldersBelow(string folder) => Walk(folder, []);

    /// <param name="above">The real paths of the folders on the way.</param>
    private static IEnumerable<string> Walk(string folder, List<string> above)
    {
        string? real = above.Count == 0 || new DirectoryInfo(folder).LinkTarget is not null
            ? RealPath.Try(folder) : Path.Combine(above[^1], Path.GetFileName(folder));
        if (real is null || above.Contains(real, RealPath.Comparer)) yield break;
        yield return folder;
        above.Add(real);
        foreach (string child in Folders(folder))
        {
            foreach (string found in Walk(child, above)) yield return found;
        }

        above.RemoveAt(above.Count - 1);
    }
}
