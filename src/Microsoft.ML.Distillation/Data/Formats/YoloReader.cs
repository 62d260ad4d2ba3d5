namespace Microsoft.ML.Distillation.Data.Formats;

/// <summary>
/// Reads YOLO data sets. Boxes stand in them as shares of the image, so images with objects are opened for their size. An image
/// without a label file has no objects. With six decimals, which is usual, corners are exact to a thousandth of a pixel where an
/// image is a thousand pixels wide.
/// </summary>
internal static class YoloReader
{
    /// <summary>The images of a folder, or of a data.yaml. The list of files is made at once, each is parsed when its turn comes.</summary>
    /// <exception cref="DirectoryNotFoundException">The folder does not exist.</exception>
    /// <exception cref="FileNotFoundException">The split, a listed image, the file of names or any label file does not exist.</exception>
    /// <exception cref="FormatException">A file cannot be read, a class has no name, or there are labels of no image; the message names file and line.</exception>
    public static IEnumerable<AnnotatedImage> Read(AnnotationSource source)
    {
        YoloFolder folder = YoloFolder.Open(source);
        return folder.Entries.Select(entry => Read(entry.Image, entry.Labels, folder.Names, source.ToleratesBrokenImages));
    }

    private static AnnotatedImage Read(string image, string? labels, YoloNames names, bool toleratesBroken)
    {
        if (labels is null) return new AnnotatedImage(image, null, []);
        if ((toleratesBroken ? ImageHeader.TryRead(image) : ImageHeader.Read(image)) is { } size)
            return new AnnotatedImage(image, size, YoloLabels.Read(File.OpenRead(labels), labels, names, size));
        // The labels are read all the same, as they may be wrong themselves.
        return new AnnotatedImage(image, null, []) { Unplaced = YoloLabels.Read(File.OpenRead(labels), labels, names, new ImageSize(1, 1)).Count };
    }
}
