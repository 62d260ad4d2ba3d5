using Microsoft.ML.Distillation.Files;

namespace Microsoft.ML.Distillation.Images;

/// <summary>
/// Finds the images of a folder by their names, in upper or lower case, with or without an extension, however accents are encoded.
/// </summary>
internal sealed class ImageFiles(string folder)
{
    /// <summary>
    /// The endings of the files that are taken for images, wherever a folder is listed; the decoder looks at the content alone.
    /// </summary>
    public static readonly IReadOnlyList<string> Extensions = [".jpg", ".jpeg", ".png", ".bmp", ".webp", ".gif", ".jfif"];

    // What else is the ending of an image in an annotation, and not a part of its name after a dot.
    private static readonly string[] OtherExtensions = [".jpe", ".ppm", ".pgm", ".tga", ".raw", ".dng"];

    private readonly FolderIndex _files = new(folder, ignoreCase: true, IsImage);

    /// <summary>The folder.</summary>
    public string Folder => folder;

    /// <summary>Whether a file's name is one of an image, if perhaps one of a kind that is not read.</summary>
    public static bool IsImage(string path) => IsReadable(path) || HasOneOf(ForeignImages.Extensions, path);

    /// <summary>The images in a folder, in the order of their names.</summary>
    public static IEnumerable<string> In(string folder) => WithoutConverted(FolderListing.Files(folder));

    /// <summary>The images in a folder and its subfolders, in the order of their paths.</summary>
    public static IEnumerable<string> Below(string folder) => WithoutConverted(FolderListing.Below(folder));

    /// <summary>The first of the names that is one of an image, or null. A name may have no extension, or a wrong one.</summary>
    public string? Find(params ReadOnlySpan<string> names)
    {
        foreach (string name in names)
        {
            string exact = Path.Combine(folder, name);
            if (IsReadable(name) && File.Exists(exact)) return exact;
        }

        foreach (string name in names)
        {
            foreach (string candidate in Candidates(name))
            {
                if (_files.FindListed(candidate) is { } path) return path;
            }
        }

        return null;
    }

    /// <summary>The path at which an image is to be expected that was not found.</summary>
    public string Expected(string name) => Path.Combine(folder, IsImage(name) ? name : name + Extensions[0]);

    /// <summary>The last part of a path, which may be one of another system.</summary>
    public static string NameIn(string path) => path[(path.LastIndexOfAny(['/', '\\']) + 1)..];

    private static bool IsReadable(string path) => HasOneOf(Extensions, path);

    private static bool HasOneOf(IEnumerable<string> extensions, string path)
        => extensions.Contains(Path.GetExtension(path), StringComparer.OrdinalIgnoreCase);

    /// <summary>What a file may be called that is meant by a name, best first.</summary>
    private static IEnumerable<string> Candidates(string name)
    {
        // "cam.1" is a name without an extension, not "cam" with a wrong one.
        bool hasExtension = IsImage(name) || HasOneOf(OtherExtensions, name);
        string stem = hasExtension ? Path.GetFileNameWithoutExtension(name) : name;
        IEnumerable<string> given = hasExtension ? [name] : [];
        IEnumerable<string> read = [.. WithExtensions(stem), .. WithExtensions(name)];
        IEnumerable<string> foreign = ForeignImages.Extensions.Select(extension => stem + extension);
        return IsReadable(name) ? [.. given, .. read, .. foreign] : [.. read, .. given, .. foreign];
    }

    private static IEnumerable<string> WithExtensions(string stem) => Extensions.Select(extension => stem + extension);

    /// <summary>
    /// The images among files. Those of a kind that is not read are among them, so that nobody misses them, unless they have been
    /// converted: then an image of the same name lies beside.
    /// </summary>
    private static IEnumerable<string> WithoutConverted(IEnumerable<string> files)
    {
        List<string> images = [.. files.Where(IsImage)];
        if (images.TrueForAll(IsReadable)) return images;
        HashSet<string> read = [.. images.Where(IsReadable).Select(Stem)];
        return images.Where(path => IsReadable(path) || !read.Contains(Stem(path)));

        static string Stem(string path) => Path.ChangeExtension(path, null);
    }
}
