using Microsoft.ML.Distillation.Images;

namespace Microsoft.ML.Distillation.Formats;

/// <summary>
/// Some tools annotate photos as they are stored, on their side, where viewers and other tools show them upright. The size that an
/// annotation gives tells which it was; boxes of the former kind are turned with the pixels.
/// </summary>
internal static class StoredAnnotations
{
    /// <summary>The images with size and boxes of the upright picture. Of those whose size is given, headers are read.</summary>
    /// <param name="images">The images as they are annotated.</param>
    /// <param name="again">
    /// Reads them again: where an image's size is the same either way, it is as the others of its data set.
    /// </param>
    public static IEnumerable<AnnotatedImage> Turned(IEnumerable<AnnotatedImage> images, Func<IEnumerable<AnnotatedImage>> again)
    {
        var others = new Lazy<bool>(() => AreStored(again()));
        return images.Select(image =>
        {
            if (TurnOf(image) is not { } turn) return image;
            return Tells(turn) ?? others.Value ? Turned(image, turn) : image;

            bool? Tells(ImageTurn turn) => turn.Stored == turn.Upright ? null : image.Size == turn.Stored;
        });
    }

    /// <summary>Whether the images that tell say that their tool showed them as they are stored, and none says otherwise.</summary>
    private static bool AreStored(IEnumerable<AnnotatedImage> images)
    {
        bool any = false;
        foreach (AnnotatedImage image in images)
        {
            if (TurnOf(image) is not { } turn || turn.Stored == turn.Upright) continue;
            if (image.Size == turn.Upright) return false;
            any = true;
        }

        return any;
    }

    /// <summary>How an image is turned, where it is and the size that its annotation gives is its own.</summary>
    private static ImageTurn? TurnOf(AnnotatedImage image)
        => image.Size is { } size && ImageFile.TryTurnOf(image.ImagePath) is { IsNone: false } turn
        && (size == turn.Stored || size == turn.Upright)
            ? turn : null;

    private static AnnotatedImage Turned(AnnotatedImage image, ImageTurn turn) => image with
    {
        Size = turn.Upright,
        WasStored = true,
        Objects = [.. image.Objects.Select(item =>
        {
            (float x0, float y0, float x1, float y1) = turn.Turn(item.X0, item.Y0, item.X1, item.Y1);
            return item with { X0 = x0, Y0 = y0, X1 = x1, Y1 = y1 };
        })],
    };
}
