using System.Runtime.InteropServices;
using Microsoft.ML.Data;

namespace Microsoft.ML.Distillation.Images;

/// <summary>An 8-bit RGB image: rows from the top, three bytes a pixel (red first), no padding.</summary>
internal sealed record RgbImage(int Width, int Height, byte[] Pixels);

/// <summary>The size of an image or a feature map, in pixels.</summary>
internal readonly record struct ImageSize(int Width, int Height)
{
    public override string ToString() => $"{Width}×{Height}";
}

/// <summary>
/// Copies ML.NET's images, whose pixels come in one of two orders by platform and source, and whose colours are multiplied by alpha.
/// </summary>
internal static class MLImagePixels
{
    /// <summary>The colours of an image; transparency is ignored.</summary>
    /// <exception cref="NotSupportedException">The image's layout of pixels is none of ML.NET's two.</exception>
    public static RgbImage ToRgb(MLImage image)
    {
        byte[] rgb = GC.AllocateUninitializedArray<byte>(3 * image.Width * image.Height);
        CopyRgb(image, rgb);
        return new RgbImage(image.Width, image.Height, rgb);
    }

    /// <summary>Copies the colours of an image into 3·width·height bytes: RGB, rows from the top.</summary>
    /// <exception cref="NotSupportedException">The image's layout of pixels is none of ML.NET's two.</exception>
    public static void CopyRgb(MLImage image, Span<byte> rgb)
    {
        (int red, int blue) = image.PixelFormat switch
        {
            MLPixelFormat.Rgba32 => (0, 16),
            MLPixelFormat.Bgra32 => (16, 0),
            _ => throw new NotSupportedException($"An image with pixels of format {image.PixelFormat} cannot be read."),
        };
        ReadOnlySpan<uint> pixels = MemoryMarshal.Cast<byte, uint>(image.Pixels);
        for (int from = 0, to = 0; from < pixels.Length; from++, to += 3)
        {
            uint pixel = pixels[from], alpha = pixel >> 24;
            if (alpha is > 0 and < byte.MaxValue) pixel = Unmultiplied(pixel, alpha);
            rgb[to] = (byte)(pixel >> red);
            rgb[to + 1] = (byte)(pixel >> 8);
            rgb[to + 2] = (byte)(pixel >> blue);
        }
    }

    private static uint Unmultiplied(uint pixel, uint alpha)
    {
        return Channel(pixel) | Channel(pixel >> 8) << 8 | Channel(pixel >> 16) << 16;

        uint Channel(uint value) => Math.Min(((value & byte.MaxValue) * byte.MaxValue + alpha / 2) / alpha, byte.MaxValue);
    }
}
