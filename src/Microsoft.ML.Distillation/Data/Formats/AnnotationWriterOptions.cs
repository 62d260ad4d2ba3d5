namespace Microsoft.ML.Distillation.Data.Formats;

/// <summary>How annotations are written.</summary>
internal sealed record AnnotationWriterOptions
{
    /// <summary>The name of the part of the data that is written; null writes no list of a split (VOC) or "default" (COCO), "train" (YOLO).</summary>
    public string? Split { get; init; }

    /// <summary>Whether the images are copied to where the format has them.</summary>
    public bool CopyImages { get; init; }

    /// <summary>Ends the writing between two images, with nothing written.</summary>
    public CancellationToken Cancellation { get; init; }
}
