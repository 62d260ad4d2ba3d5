namespace Microsoft.ML.Distillation.Data.Formats;

/// <summary>
/// Where the files of a Pascal VOC data set are. Layouts: <c>Annotations</c> beside <c>JPEGImages</c>, with or without lists
/// in <c>ImageSets/Main</c>; xml files beside their images; and either of these in a subfolder for each split.
/// </summary>
internal sealed class PascalVocFolder
{
    private static readonly string[] ImageFolders = ["JPEGImages", "Images", "images", ""];

    private readonly ImageFiles _images;

    private PascalVocFolder(IReadOnlyList<string> annotations, string imageFolder)
    {
        Annotations = annotations;
        _images = new ImageFiles(imageFolder);
    }

    /// <summary>The xml files, in the order of the split's list or else of their names.</summary>
    public IReadOnlyList<string> Annotations { get; }

    /// <exception cref="DirectoryNotFoundException">The folder does not exist.</exception>
    /// <exception cref="FileNotFoundException">The split, or a file that it names, or any annotation does not exist.</exception>
    /// <exception cref="FormatException">The split's list names an image twice.</exception>
    public static PascalVocFolder Open(AnnotationSource source)
    {
        string folder = source.Folder();
        string imageFolder = source.GivenImageFolder() ?? FindImageFolder(folder);
        if (source.Split is not { } split) return new PascalVocFolder(AllAnnotations(folder), imageFolder);

        string list = Path.Combine(folder, "ImageSets", "Main", split + ".txt");
        if (File.Exists(list)) return new PascalVocFolder(ListedAnnotations(folder, list), imageFolder);
        string part = Path.Combine(folder, split);
        if (split.Length > 0 && Directory.Exists(part)) return Open(source with { Path = part, Split = null });
        throw new FileNotFoundException(
            $"'{folder}' has no split '{split}': neither the list 'ImageSets/Main/{split}.txt' nor a folder '{split}' exists. "
            + $"Splits that exist: {Listing(Splits(folder))}.", list);
    }

    /// <summary>
    /// The image that an annotation belongs to: the one that it names, else the one of its own name. Upper and lower case do
    /// not matter. Where there is neither, the path at which it was to be expected.
    /// </summary>
    public string FindImage(string annotation, string? fileName)
    {
        string stem = Path.GetFileNameWithoutExtension(annotation);
        // Written on another system, the name may hold a path of that system.
        string named = fileName is null ? "" : ImageFiles.NameIn(fileName);
        return named.Length > 0 ? _images.Find(named, stem) ?? _images.Expected(named) : _images.Find(stem) ?? _images.Expected(stem);
    }

    private static string FindImageFolder(string folder)
        => ImageFolders.Select(name => Path.Combine(folder, name)).First(Directory.Exists);

    private static string AnnotationFolder(string folder)
    {
        string annotations = Path.Combine(folder, "Annotations");
        return Directory.Exists(annotations) ? annotations : folder;
    }

    private static string[] AllAnnotations(string folder)
    {
        string annotations = AnnotationFolder(folder);
        string[] files = [.. Directory.EnumerateFiles(annotations, "*.xml").Order(StringComparer.Ordinal)];
        if (files.Length > 0) return files;
        string[] splits = [.. Splits(folder)];
        throw new FileNotFoundException(
            $"'{annotations}' holds no annotation (*.xml)." + (splits.Length > 0 ? $" Name a split: {Listing(splits)}." : ""), annotations);
    }

    private static List<string> ListedAnnotations(string folder, string list)
    {
        string annotations = AnnotationFolder(folder);
        var files = new List<string>();
        foreach (ListedName entry in SplitList.Read(list))
        {
            string path = Path.Combine(annotations, entry.Name + ".xml");
            if (!File.Exists(path)) throw new FileNotFoundException($"{list}({entry.Line}): the annotation '{path}' does not exist.", path);
            files.Add(path);
        }

        return files;
    }

    private static IEnumerable<string> Splits(string folder)
    {
        string lists = Path.Combine(folder, "ImageSets", "Main");
        IEnumerable<string?> listed = Directory.Exists(lists) ? Directory.EnumerateFiles(lists, "*.txt").Select(Path.GetFileNameWithoutExtension) : [];
        IEnumerable<string?> folders = Directory.EnumerateDirectories(folder)
            .Where(part => Directory.EnumerateFiles(AnnotationFolder(part), "*.xml").Any() && Path.GetFileName(part) != "Annotations")
            .Select(Path.GetFileName);
        return listed.Concat(folders).OfType<string>().Order(StringComparer.Ordinal);
    }

    private static string Listing(IEnumerable<string> names)
    {
        string text = string.Join(", ", names);
        return text.Length > 0 ? text : "none";
    }
}
