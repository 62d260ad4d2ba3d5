namespace Microsoft.ML.Distillation;

/// <summary>What may be wrong with annotated images.</summary>
public enum DetectionDefectKind
{
    /// <summary>The image does not exist, cannot be decoded, or ends before its end.</summary>
    UnreadableImage,

    /// <summary>The annotation gives the image another size than it has.</summary>
    WrongImageSize,

    /// <summary>A box has no area.</summary>
    ZeroAreaBox,

    /// <summary>A box reaches beyond the image by more than a pixel.</summary>
    BoxOutside,

    /// <summary>The same box of the same class stands twice in an image.</summary>
    RepeatedBox,

    /// <summary>Two images of one part are the same file.</summary>
    DuplicateImage,

    /// <summary>Images of two parts are the same file: what is measured was trained on.</summary>
    DuplicateAcrossSplits,
}

/// <summary>Something wrong with an annotated image.</summary>
/// <param name="Kind">What.</param>
/// <param name="Split">The part that the image is in.</param>
/// <param name="ImagePath">The image.</param>
/// <param name="Object">The object, from 0, in the order of the annotation; null where the image is meant.</param>
/// <param name="Message">One line for people.</param>
public sealed record DetectionDataDefect(DetectionDefectKind Kind, string Split, string ImagePath, int? Object, string Message);
