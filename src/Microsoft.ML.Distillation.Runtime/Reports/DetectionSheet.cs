using Microsoft.ML.Distillation.Drawing;

namespace Microsoft.ML.Distillation;

/// <summary>An image of a contact sheet of detections.</summary>
/// <param name="ImagePath">Its file.</param>
/// <param name="Detections">What was found in it, boxes in its pixels.</param>
public sealed record SheetImage(string ImagePath, IReadOnlyList<Detection> Detections)
{
    /// <summary>What was nearly found: drawn with a question mark.</summary>
    public IReadOnlyList<Detection> Doubtful { get; init; } = [];

    /// <summary>What stands above it; <see langword="null"/>: the file's name.</summary>
    public string? Title { get; init; }
}

/// <summary>Images with what a detector found in them on one contact sheet.</summary>
public static class DetectionSheet
{
    /// <summary>Draws the sheet.</summary>
    /// <param name="images">The images.</param>
    /// <param name="names">What the detector finds, by whose order colours go.</param>
    /// <param name="path">The picture to write, .png or .jpg.</param>
    public static void Save(IReadOnlyList<SheetImage> images, IReadOnlyList<string> names, string path)
    {
        ArgumentNullException.ThrowIfNull(images);
        ArgumentNullException.ThrowIfNull(names);
        ArgumentException.ThrowIfNullOrEmpty(path);
        string[] order = [.. names];
        Sheet.Draw(images.Count, (sheet, x, y, i) => DrawCell(sheet, x, y, images[i], order)).Save(path);
    }

    private static void DrawCell(Picture sheet, int x, int y, SheetImage image, string[] names)
    {
        Sheet.Write(sheet, x, y, image.Title ?? Path.GetFileName(image.ImagePath));
        if (Sheet.Thumbnail(image.ImagePath) is not (Picture picture, float scale)) return;
        DetectionPainter.Draw(picture, [.. image.Detections.Select(found => Drawn(found, "")),
            .. image.Doubtful.Select(found => Drawn(found, "?"))]);
        Sheet.Paste(sheet, x, y, picture);

        DrawnBox Drawn(Detection found, string mark)
        {
            (float x0, float y0, float x1, float y1) = found.Box;
            int label = Math.Max(0, Array.IndexOf(names, found.Label));
            return new DrawnBox(scale * x0, scale * y0, scale * x1, scale * y1, label, found.Label + mark, found.Score);
        }
    }
}
