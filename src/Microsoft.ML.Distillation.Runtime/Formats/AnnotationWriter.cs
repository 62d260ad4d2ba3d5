using Microsoft.ML.Distillation.Images;

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

    /// <summary>How many pixels an image may have that is turned as it is copied.</summary>
    public long MaxPixels { get; init; } = ImageFile.DefaultMaxPixels;

    /// <summary>Ends the writing between two images, with nothing written.</summary>
    public CancellationToken Cancellation { get; init; }
}

/// <summary>Files on their way into a folder: written beside it, moved into it when all are there, or gone.</summary>
internal sealed class StagedFiles : IDisposable
{
    private readonly string _folder;
    private readonly string _stage;
    private readonly AnnotationWriterOptions _options;
    private readonly List<string> _names = [];
    private readonly Dictionary<string, string> _imageOf = new(StringComparer.OrdinalIgnoreCase);

    /// <param name="folder">Where the files are to be; it is made if it does not exist.</param>
    public StagedFiles(string folder, AnnotationWriterOptions options)
    {
        _options = options;
        _folder = Path.GetFullPath(folder);
        Directory.CreateDirectory(_folder);
        // Inside it, as only a move within a file system is at once.
        _stage = Path.Combine(_folder, ".part-" + Guid.NewGuid().ToString("N"));
        Directory.CreateDirectory(_stage);
    }

    /// <summary>Where a file that is there already will be found.</summary>
    public string Final(string name) => Path.Combine(_folder, name);

    /// <summary>The path at which a file is to be written.</summary>
    public string Add(string name)
    {
        string path = Path.Combine(_stage, name);
        Directory.CreateDirectory(Path.GetDirectoryName(path)!);
        _names.Add(name);
        return path;
    }

    /// <summary>
    /// Takes an image, and copies it into a folder if that is wanted; a photo that its Exif data turn is written upright. Images of all
    /// folders come into one: of several with one name, the later ones get the names of their folders in front.
    /// </summary>
    /// <returns>The image's name.</returns>
    /// <exception cref="InvalidDataException">
    /// It is not copied, and another image has its name, or differs from it only in the extension or in case.
    /// </exception>
    /// <exception cref="FileNotFoundException">It is to be copied and does not exist.</exception>
    /// <exception cref="FormatException">It is to be turned and cannot be read.</exception>
    /// <exception cref="OperationCanceledException">The writing was cancelled.</exception>
    public string AddImage(string path, string? copyTo)
    {
        _options.Cancellation.ThrowIfCancellationRequested();
        string name = Path.GetFileName(path), stem = Path.GetFileNameWithoutExtension(path);
        string? folder = copyTo is null ? null : Path.GetDirectoryName(Path.GetFullPath(path));
        while (!_imageOf.TryAdd(stem, path))
        {
            if (folder is null || Path.GetFileName(folder).Length == 0)
                throw new InvalidDataException($"Two images have the name '{stem}': '{_imageOf[stem]}' and '{path}'."
                    + (copyTo is null ? " Copies of them are told apart by their folders' names: set copyImages." : ""));
            (name, stem) = ($"{Path.GetFileName(folder)}_{name}", $"{Path.GetFileName(folder)}_{stem}");
            folder = Path.GetDirectoryName(folder);
        }

        if (copyTo is null) return name;
        if (!File.Exists(path)) throw new FileNotFoundException($"The image '{path}' does not exist.", path);
        // Copied from its own place, an image may stay there.
        if (Path.GetFullPath(path) == Final(Path.Combine(copyTo, name))) return name;
        string copy = Add(Path.Combine(copyTo, name));
        if (ImageFile.TryTurnOf(path) is { IsNone: false }) ImageFile.CopyUpright(path, copy, _options.MaxPixels);
        else File.Copy(path, copy);
        return name;
    }

    /// <summary>The size of an image: what its annotation says, or what its file says.</summary>
    /// <exception cref="FileNotFoundException">The annotation does not say it, and the image does not exist.</exception>
    public static ImageSize SizeOf(AnnotatedImage image)
        => image.Size ?? (File.Exists(image.ImagePath)
            ? ImageFile.SizeOf(image.ImagePath)
            : throw new FileNotFoundException($"The image '{image.ImagePath}' does not exist; its size is needed.", image.ImagePath));

    /// <summary>Moves all files to their places.</summary>
    public void Commit()
    {
        foreach (string name in _names)
        {
            string final = Final(name);
            Directory.CreateDirectory(Path.GetDirectoryName(final)!);
            File.Move(Path.Combine(_stage, name), final, overwrite: true);
        }
    }

    /// <inheritdoc/>
    public void Dispose() => Directory.Delete(_stage, recursive: true);
}
