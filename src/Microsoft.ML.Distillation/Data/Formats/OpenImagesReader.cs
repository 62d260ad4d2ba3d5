namespace Microsoft.ML.Distillation.Data.Formats;

/// <summary>
/// Reads OpenImages box files. Boxes stand in them as shares of the image, so every image is opened for its size. The file is read
/// once, at once, and kept, some fifty bytes a box; images that it does not name are not in the result.
/// </summary>
internal static class OpenImagesReader
{
    private const string ClassDescriptions = "class-descriptions";

    private static readonly string[] Folders = ["", "labels", "annotations", "csv"];

    /// <summary>The images of a file, or of the one file of a folder and split.</summary>
    /// <exception cref="DirectoryNotFoundException">The folder does not exist.</exception>
    /// <exception cref="FileNotFoundException">There is no annotation file of this split; or, as it is read, an image does not exist.</exception>
    /// <exception cref="FormatException">There are several.</exception>
    /// <exception cref="FormatException">A line is not as it must be, or a class has no name; the message names file and line.</exception>
    public static IEnumerable<AnnotatedImage> Read(AnnotationSource source)
    {
        string path = AnnotationFile.Find(
            source, Folders, "csv", split => [$"{split}-annotations-bbox.csv", $"*{split}-annotations-bbox.csv", $"{split}.csv", $"*{split}*.csv"],
            name => !name.Contains(ClassDescriptions, StringComparison.OrdinalIgnoreCase));
        string folder = Path.GetDirectoryName(path)!;
        string? namesPath = source.FindNamesFile(folder, $"*{ClassDescriptions}*.csv", $"../*{ClassDescriptions}*.csv", "../metadata/classes.csv");
        ClassNameFile? names = namesPath is null ? null : ClassNameFile.ReadMachineIds(namesPath);
        using TextLines lines = TextLines.Open(path);
        IReadOnlyList<OpenImagesEntry> entries = OpenImagesCsv.Read(lines, names);
        var images = new ImageFinder(source.GivenImageFolder() is { } given ? [given] : ImageFolders(folder, source.Split));
        return entries.Select(entry => InPixels(entry, path, images, source.ToleratesBrokenImages));
    }

    private static IEnumerable<string> ImageFolders(string folder, string? split)
    {
        string root = Path.GetFileName(folder) is "labels" or "annotations" or "csv" ? Path.GetDirectoryName(folder)! : folder;
        string[] inSplit = split is null ? [] : [Path.Combine(root, split), Path.Combine(root, "images", split)];
        return [.. inSplit, Path.Combine(root, "images"), Path.Combine(root, "data"), root];
    }

    private static AnnotatedImage InPixels(OpenImagesEntry entry, string file, ImageFinder images, bool toleratesBroken)
    {
        string path = images.Find(entry.Id);
        if (toleratesBroken && ImageHeader.TryRead(path) is null) return new AnnotatedImage(path, null, []) { Unplaced = entry.Objects.Count };
        if (!File.Exists(path)) throw AnnotationError.NoImage(file, entry.Line, path);
        ImageSize size = ImageHeader.Read(path);
        return new AnnotatedImage(path, size, [.. entry.Objects.Select(item => item with
        {
            X0 = item.X0 * size.Width, Y0 = item.Y0 * size.Height, X1 = item.X1 * size.Width, Y1 = item.Y1 * size.Height,
        })]);
    }
}
