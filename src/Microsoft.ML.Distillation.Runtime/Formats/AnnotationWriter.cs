namespace Microsoft.ML.Distillation.Formats;

/// <summary>Writes annotations in the formats that can be written.</summary>
internal static class AnnotationWriter
{
    /// <summary>
    /// Writes images and objects into a folder. All files are written beside and moved to their places at the end, so that an error
    /// leaves nothing half written; files of the same names are replaced.
    /// </summary>
    /// <exception cref="NotSupportedException">The format cannot be written.</exception>
    /// <exception cref="InvalidDataException">Two images have the same name, or a label cannot be written.</exception>
    /// <exception cref="FileNotFoundException">An image does not exist that is to be copied, or whose size is needed.</exception>
    /// <exception cref="OperationCanceledException">The writing was cancelled.</exception>
    /// <exception cref="FormatException">An image cannot be read, or a file there already that is to be completed.</exception>
    public static WrittenAnnotations Write(
        DetectionFormat format, string folder, IEnumerable<AnnotatedImage> images, AnnotationWriterOptions options)
        => format switch
        {
            DetectionFormat.PascalVoc => PascalVocWriter.Write(folder, images, options),
            DetectionFormat.Coco => CocoWriter.Write(folder, images, options),
            DetectionFormat.Yolo => YoloWriter.Write(folder, images, options),
            _ => throw new NotSupportedException(
                $"The format {format} cannot be written; "
                + $"{DetectionFormat.PascalVoc}, {DetectionFormat.Coco} and {DetectionFormat.Yolo} can."),
        };
}

/// <summary>How annotations are written.</summary>
internal sealed record AnnotationWriterOptions
{
    /// <summary>
    /// The name of the part of the data that is written; null writes no list of a split (VOC) or "default" (COCO), "train" (YOLO).
    /// </summary>
    public string? Split { get; init; }

    /// <summary>Whether the images are copied to where the format has them.</summary>
    public bool CopyImages { get; init; }

    /// <summary>Ends the writing between two images, with nothing written.</summary>
    public CancellationToken Cancellation { get; init; }
}
