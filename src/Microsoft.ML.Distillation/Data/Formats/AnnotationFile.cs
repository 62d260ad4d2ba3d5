namespace Microsoft.ML.Distillation.Data.Formats;

/// <summary>Finds the one file of formats that keep all annotations in one.</summary>
internal static class AnnotationFile
{
    /// <summary>The annotation file of a source.</summary>
    /// <param name="folders">Where it may be below the source's folder.</param>
    /// <param name="extension">Its extension, without a dot.</param>
    /// <param name="namesOfSplit">The patterns that a split's file may have for a name, best first.</param>
    /// <param name="isAnnotation">Tells it from other files of that extension.</param>
    /// <exception cref="DirectoryNotFoundException">The folder does not exist.</exception>
    /// <exception cref="FileNotFoundException">There is none.</exception>
    /// <exception cref="FormatException">There are several.</exception>
    public static string Find(
        AnnotationSource source, IReadOnlyList<string> folders, string extension, Func<string, string[]> namesOfSplit, Func<string, bool>? isAnnotation = null)
    {
        if (File.Exists(source.Path))
        {
            if (source.Split is null) return Path.GetFullPath(source.Path);
            throw new FileNotFoundException($"'{source.Path}' is a file; the split '{source.Split}' can only be chosen in a folder.", source.Path);
        }

        string folder = source.Folder();
        string[] parts = [.. folders.Select(part => Path.Combine(folder, part)).Where(Directory.Exists)];
        string[] patterns = source.Split is { } split ? namesOfSplit(split) : ["*." + extension];
        foreach (string pattern in patterns)
        {
            foreach (string part in parts)
            {
                string[] files = [.. Matching(part, pattern).Where(path => isAnnotation?.Invoke(Path.GetFileName(path)) != false)];
                if (files.Length == 1) return files[0];
                if (files.Length > 1)
                    throw new FormatException($"'{part}' holds {files.Length} files '{pattern}': name one, or a split. There are: {Listing(files)}.");
            }
        }

        string all = Listing(parts.SelectMany(part => Matching(part, "*." + extension)));
        string of = source.Split is null ? "" : $" of the split '{source.Split}'";
        throw new FileNotFoundException($"'{folder}' holds no annotation file{of} (*.{extension}); there is {all}.", folder);
    }

    private static IEnumerable<string> Matching(string folder, string pattern)
    {
        string part = Path.Combine(folder, Path.GetDirectoryName(pattern) ?? "");
        return Directory.Exists(part) ? Directory.EnumerateFiles(part, Path.GetFileName(pattern)).Order(StringComparer.Ordinal) : [];
    }

    private static string Listing(IEnumerable<string> files)
    {
        string text = string.Join(", ", files.Select(Path.GetFileName));
        return text.Length > 0 ? text : "none";
    }
}
