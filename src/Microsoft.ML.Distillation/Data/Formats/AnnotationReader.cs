namespace Microsoft.ML.Distillation.Data.Formats;

/// <summary>Reads annotations of any format.</summary>
internal static class AnnotationReader
{
    /// <summary>The annotated images of a source. Files are found at once; those of formats with a file an image are parsed as they are enumerated.</summary>
    /// <exception cref="DirectoryNotFoundException">A folder does not exist.</exception>
    /// <exception cref="FileNotFoundException">
    /// The split, or a file that is needed, does not exist; or, as it is read, an image, unless the source tolerates that. The message names file and line.
    /// </exception>
    /// <exception cref="FormatException">A file is not of the format; the message names file and line.</exception>
    public static IEnumerable<AnnotatedImage> Read(DetectionFormat format, AnnotationSource source)
    {
        IEnumerable<AnnotatedImage> images = Parse(format, source);
        return source.ToleratesBrokenImages ? images : images.Select(Existing);
    }

    private static AnnotatedImage Existing(AnnotatedImage image)
        => image.NamedIn is null || File.Exists(image.ImagePath) ? image : throw AnnotationError.NoImage(image.NamedIn, image.Line, image.ImagePath);

    private static IEnumerable<AnnotatedImage> Parse(DetectionFormat format, AnnotationSource source) => format switch
    {
        DetectionFormat.PascalVoc => PascalVocReader.Read(source),
        DetectionFormat.Coco => CocoReader.Read(source),
        DetectionFormat.Kitti => KittiReader.Read(source),
        DetectionFormat.ImageNet => ImageNetReader.Read(source),
        DetectionFormat.Yolo => YoloReader.Read(source),
        DetectionFormat.OpenImages => OpenImagesReader.Read(source),
        DetectionFormat.TabSeparated => TabSeparatedReader.Read(source),
        _ => throw new ArgumentOutOfRangeException(nameof(format), format, "This format cannot be read."),
    };
}
