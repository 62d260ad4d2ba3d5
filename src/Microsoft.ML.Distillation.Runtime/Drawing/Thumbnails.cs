using Microsoft.ML.Distillation.Images;

namespace Microsoft.ML.Distillation.Drawing;

/// <summary>Makes small pictures of images.</summary>
internal static class Thumbnails
{
    /// <summary>An image at another size.</summary>
    public static Picture Resize(RgbImage image, ImageSize size)
    {
        float[] planes = AntialiasedResize.Resize(image, size);
        var picture = new Picture(size.Width, size.Height);
        int area = size.Width * size.Height;
        for (int y = 0, at = 0; y < size.Height; y++)
        {
            for (int x = 0; x < size.Width; x++, at++) picture[x, y] = new Color(Byte(planes[at]), Byte(planes[area + at]), Byte(planes[2 * area + at]));
        }

        return picture;
    }

    private static byte Byte(float share) => (byte)Math.Clamp(MathF.Round(255 * share), 0, 255);
}
