namespace Microsoft.ML.Distillation.Data.Formats;

/// <summary>Which annotations are to be read.</summary>
/// <param name="Path">A folder; or, for formats that keep all annotations in one file, that file.</param>
/// <param name="Split">The name of a part of the data; null is all of it.</param>
/// <param name="ImageFolder">Where the images are, if not where the format has them.</param>
/// <param name="NamesFile">The file that names the classes, if it is not where the format has it.</param>
internal sealed record AnnotationSource(string Path, string? Split = null, string? ImageFolder = null, string? NamesFile = null)
{
    /// <summary>
    /// Whether images that are missing or broken are only told of: formats that need an image's size to place its objects then give it
    /// without them (<see cref="AnnotatedImage.Unplaced"/>). Else a missing image is an error of every format.
    /// </summary>
    public bool ToleratesBrokenImages { get; init; }

    /// <summary>The full path of the folder.</summary>
    /// <exception cref="DirectoryNotFoundException">It does not exist.</exception>
    public string Folder()
    {
        string folder = System.IO.Path.GetFullPath(Path);
        return Directory.Exists(folder) ? folder : throw new DirectoryNotFoundException($"The folder '{folder}' does not exist.");
    }

    /// <summary>The full path of the folder with the images, where one is given.</summary>
    /// <exception cref="DirectoryNotFoundException">It does not exist.</exception>
    public string? GivenImageFolder()
    {
        if (ImageFolder is null) return null;
        string folder = System.IO.Path.GetFullPath(ImageFolder);
        return Directory.Exists(folder) ? folder : throw new DirectoryNotFoundException($"The folder of images '{folder}' does not exist.");
    }

    /// <summary>The file that names the classes: the one given, or the first of the candidates in the folder that exists, or null.</summary>
    /// <exception cref="FileNotFoundException">The one given does not exist.</exception>
    public string? FindNamesFile(string folder, params ReadOnlySpan<string> candidates)
    {
        if (NamesFile is not null)
        {
            string given = System.IO.Path.GetFullPath(NamesFile);
            return File.Exists(given) ? given : throw new FileNotFoundException($"The file of class names '{given}' does not exist.", given);
        }

        foreach (string pattern in candidates)
        {
            string part = System.IO.Path.Combine(folder, System.IO.Path.GetDirectoryName(pattern) ?? "");
            if (!Directory.Exists(part)) continue;
            string? found = Directory.EnumerateFiles(part, System.IO.Path.GetFileName(pattern)).Order(StringComparer.Ordinal).FirstOrDefault();
            if (found is not null) return found;
        }

        return null;
    }
}
