using SkiaSharp;

namespace Microsoft.ML.Distillation.Images;

/// <summary>
/// How stored pixels are turned or mirrored to stand upright, as a photo's Exif data ask for. Pixel (x, y) of the upright image is the
/// stored one at <paramref name="First"/> + x·<paramref name="Right"/> + y·<paramref name="Down"/>.
/// </summary>
/// <param name="Stored">The size as it is stored.</param>
/// <param name="Upright">The size of the upright image.</param>
internal readonly record struct ImageTurn(SKEncodedOrigin Origin, ImageSize Stored, ImageSize Upright, int First, int Right, int Down)
{
    /// <summary>Whether width and height change places.</summary>
    public bool SwapsSides => Origin >= SKEncodedOrigin.LeftTop;

    /// <summary>Whether nothing is turned.</summary>
    public bool IsNone => Origin == SKEncodedOrigin.TopLeft;

    /// <summary>The turn of an image of this stored size.</summary>
    public static ImageTurn Of(SKEncodedOrigin origin, ImageSize stored)
    {
        (int w, int h) = (stored.Width, stored.Height);
        int lastRow = (h - 1) * w, last = lastRow + w - 1;
        (int first, int right, int down) = origin switch
        {
            SKEncodedOrigin.TopRight => (w - 1, -1, w),
            SKEncodedOrigin.BottomRight => (last, -1, -w),
            SKEncodedOrigin.BottomLeft => (lastRow, 1, -w),
            SKEncodedOrigin.LeftTop => (0, w, 1),
            SKEncodedOrigin.RightTop => (lastRow, -w, 1),
            SKEncodedOrigin.RightBottom => (last, -w, -1),
            SKEncodedOrigin.LeftBottom => (w - 1, w, -1),
            _ => (0, 1, w),
        };
        return new ImageTurn(origin, stored, origin >= SKEncodedOrigin.LeftTop ? new ImageSize(h, w) : stored, first, right, down);
    }

    /// <summary>A box of the stored picture, corners in pixels, on the upright one.</summary>
    public (float X0, float Y0, float X1, float Y1) Turn(float x0, float y0, float x1, float y1)
    {
        (float ax, float ay) = Turn(x0, y0);
        (float bx, float by) = Turn(x1, y1);
        return (Math.Min(ax, bx), Math.Min(ay, by), Math.Max(ax, bx), Math.Max(ay, by));
    }

    private (float X, float Y) Turn(float x, float y) => Origin switch
    {
        SKEncodedOrigin.TopRight => (Stored.Width - x, y),
        SKEncodedOrigin.BottomRight => (Stored.Width - x, Stored.Height - y),
        SKEncodedOrigin.BottomLeft => (x, Stored.Height - y),
        SKEncodedOrigin.LeftTop => (y, x),
        SKEncodedOrigin.RightTop => (Stored.Height - y, x),
        SKEncodedOrigin.RightBottom => (Stored.Height - y, Stored.Width - x),
        SKEncodedOrigin.LeftBottom => (y, Stored.Width - x),
        _ => (x, y),
    };
}
