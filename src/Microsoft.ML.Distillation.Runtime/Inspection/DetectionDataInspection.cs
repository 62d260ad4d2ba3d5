using Microsoft.ML.Distillation.Formats;
using Microsoft.ML.Distillation.Inspection;

namespace Microsoft.ML.Distillation;

/// <summary>
/// What an annotated data set holds, and what is wrong with it. Made by <see cref="DetectionCatalog.InspectDetections"/>.
/// </summary>
public sealed record DetectionDataInspection
{
    /// <summary>The parts of the data set; one called "all" where it has none.</summary>
    public required IReadOnlyList<DetectionDataSplit> Splits { get; init; }

    /// <summary>The classes, the most frequent first.</summary>
    public required IReadOnlyList<DetectionDataClass> Classes { get; init; }

    /// <summary>The sizes of the images in pixels, the most frequent first.</summary>
    public required IReadOnlyList<DetectionImageSize> ImageSizes { get; init; }

    /// <summary>The sizes of the boxes.</summary>
    public required DetectionBoxSizes BoxSizes { get; init; }

    /// <summary>What was found to be wrong, in the order of the images.</summary>
    public required IReadOnlyList<DetectionDataDefect> Defects { get; init; }

    /// <summary>What is to be said of the data set that is no defect of an image: parts that are missing, classes of one name.</summary>
    public IReadOnlyList<string> Warnings { get; init; } = [];

    /// <summary>How many images are photos that their Exif data turn; they are seen upright.</summary>
    public int TurnedImages { get; init; }

    /// <summary>
    /// How many of them are annotated as they are stored, on their side, by the size that the annotation gives: their boxes are turned with
    /// the pixels.
    /// </summary>
    public int StoredAnnotations { get; init; }

    /// <summary>How many objects are annotated by an outline, a mask or a turned box, around which their box is taken.</summary>
    public int Outlines { get; init; }

    /// <summary>The number of images.</summary>
    public int Images => Splits.Sum(split => split.Images);

    /// <summary>The number of objects, without groups and regions to ignore.</summary>
    public int Objects => Splits.Sum(split => split.Objects);

    /// <summary>The images with their objects.</summary>
    internal IReadOnlyList<AnnotatedImage> Annotated { get; init; } = [];

    /// <summary>Draws images with their objects side by side, those with a defect first, the others spread over the data set.</summary>
    /// <param name="path">The picture to write; its ending chooses JPEG or PNG. It appears whole or not at all.</param>
    /// <param name="images">How many images to show.</param>
    /// <exception cref="ArgumentOutOfRangeException"><paramref name="images"/> is below 1.</exception>
    public void SaveContactSheet(string path, int images = 24)
    {
        ArgumentException.ThrowIfNullOrEmpty(path);
        ArgumentOutOfRangeException.ThrowIfLessThan(images, 1);
        ContactSheet.Draw(this, images).Save(path);
    }
}

/// <summary>A part of a data set.</summary>
/// <param name="Name">Its name.</param>
/// <param name="Images">The number of its images.</param>
/// <param name="Objects">The number of its objects, without groups and regions to ignore.</param>
/// <param name="EmptyImages">How many of its images have no object.</param>
public sealed record DetectionDataSplit(string Name, int Images, int Objects, int EmptyImages);

/// <summary>A class of a data set.</summary>
/// <param name="Name">The class.</param>
/// <param name="Objects">The number of its objects in each part, in the order of the parts.</param>
/// <param name="Images">How many images show it.</param>
public sealed record DetectionDataClass(string Name, IReadOnlyList<int> Objects, int Images)
{
    /// <summary>The number of its objects.</summary>
    public int Total => Objects.Sum();
}

/// <summary>How many images have a size.</summary>
/// <param name="Width">Width in pixels.</param>
/// <param name="Height">Height in pixels.</param>
/// <param name="Images">The number of images.</param>
public sealed record DetectionImageSize(int Width, int Height, int Images);

/// <summary>The sizes of a data set's boxes, in pixels.</summary>
/// <param name="Small">How many have an area of at most 32×32 pixels, COCO's small.</param>
/// <param name="Medium">How many are larger, up to 96×96 pixels.</param>
/// <param name="Large">How many are larger than that.</param>
/// <param name="Widths">The widths that 5, 25, 50, 75 and 95 per cent of the boxes do not exceed; empty without any box.</param>
/// <param name="Heights">The same of the heights.</param>
public sealed record DetectionBoxSizes(int Small, int Medium, int Large, IReadOnlyList<float> Widths, IReadOnlyList<float> Heights);

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

    /// <summary>
    /// An annotation is not as it must be and cannot be read: an object, a line, or the whole file. What can be read is counted.
    /// </summary>
    WrongAnnotation,

    /// <summary>Two images of one part are the same file.</summary>
    DuplicateImage,

    /// <summary>Images of two parts are the same file: what is measured was trained on.</summary>
    DuplicateAcrossSplits,
}

/// <summary>Something wrong with an annotated image.</summary>
/// <param name="Kind">What.</param>
/// <param name="Split">The part that the image is in.</param>
/// <param name="ImagePath">The image; of a wrong annotation whose image is not known, the annotation's file.</param>
/// <param name="Object">The object, from 0, in the order of the annotation; null where the image is meant.</param>
/// <param name="Message">One line for people.</param>
public sealed record DetectionDataDefect(DetectionDefectKind Kind, string Split, string ImagePath, int? Object, string Message);
