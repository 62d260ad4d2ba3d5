namespace Microsoft.ML.Distillation.Data.Formats;

/// <summary>Reads COCO annotation files. The file is read once, at once; its images are found as they are asked for.</summary>
internal static class CocoReader
{
    private static readonly string[] AnnotationFolders = ["annotations", ""];

    /// <summary>The images of a file, or of the one file of a folder and split.</summary>
    /// <exception cref="DirectoryNotFoundException">The folder does not exist.</exception>
    /// <exception cref="FileNotFoundException">There is no annotation file of this split.</exception>
    /// <exception cref="FormatException">There are several.</exception>
    /// <exception cref="FormatException">It is not a COCO annotation file; the message names file, line and element.</exception>
    public static IEnumerable<AnnotatedImage> Read(AnnotationSource source)
    {
        string path = AnnotationFile.Find(source, AnnotationFolders, "json", split =>
        [
            $"instances_{split}.json", $"{split}.json", $"{split}/_annotations.coco.json", $"{split}/annotations.json",
            $"instances_{split}*.json", $"*{split}*.json",
        ]);
        using FileStream stream = File.OpenRead(path);
        CocoFile file = CocoParser.Parse(stream, path);
        var images = new ImageFinder(source.GivenImageFolder() is { } given ? [given] : ImageFolders(source, path));
        return file.Annotated(path, images.Find);
    }

    private static IEnumerable<string> ImageFolders(AnnotationSource source, string path)
    {
        string beside = Path.GetDirectoryName(path)!;
        string root = Path.GetFileName(beside) == "annotations" ? Path.GetDirectoryName(beside)! : beside;
        string stem = Path.GetFileNameWithoutExtension(path);
        string split = source.Split ?? stem[(stem.IndexOf('_', StringComparison.Ordinal) + 1)..];
        string[] below = [Path.Combine("images", split), split, "images", "data", "JPEGImages"];
        return [.. below.Select(name => Path.Combine(root, name)), beside, root];
    }
}
