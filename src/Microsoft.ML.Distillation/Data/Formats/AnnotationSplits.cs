namespace Microsoft.ML.Distillation.Data.Formats;

/// <summary>Which parts a data set has.</summary>
internal static class AnnotationSplits
{
    /// <summary>The parts that data sets usually have.</summary>
    public static string[] Usual { get; } = ["train", "val", "test"];

    private static readonly string[] ListFolders = ["ImageSets", "ImageSets/Main", "ImageSets/DET"];

    /// <summary>Whether a data set has the part that the source names. Formats with one file for all of it parse that.</summary>
    /// <exception cref="FormatException">A file that would tell is broken.</exception>
    public static bool Exists(DetectionFormat format, AnnotationSource source)
    {
        // A folder of VOC's may well have a part without a single annotation; what names the part is enough.
        if (format == DetectionFormat.PascalVoc)
            return File.Exists(Path.Combine(source.Path, "ImageSets", "Main", source.Split + ".txt")) || Directory.Exists(Path.Combine(source.Path, source.Split!));
        // With a folder of images of its own, YOLO's reader takes all of them for any part.
        if (format == DetectionFormat.Yolo && source.ImageFolder is { } images)
        {
            return File.Exists(Path.Combine(source.Path, source.Split + ".txt")) || Directory.Exists(Path.Combine(images, source.Split!))
                || Directory.Exists(Path.Combine(source.Path, "labels", source.Split!));
        }

        // What a list names may be missing: that is an error where the part is read, and not the part's absence.
        if (format is DetectionFormat.Kitti or DetectionFormat.ImageNet && ListFolders.Any(folder => File.Exists(Path.Combine(source.Path, folder, source.Split + ".txt")))) return true;
        try
        {
            // Likewise of YOLO's lists.
            _ = AnnotationReader.Read(format, source with { ToleratesBrokenImages = true });
            return true;
        }
        catch (Exception error) when (error is FileNotFoundException or DirectoryNotFoundException)
        {
            return false;
        }
    }
}
