using Microsoft.ML.Data;

namespace Microsoft.ML.Distillation.Data;

/// <summary>Copies ML.NET's images.</summary>
internal static class MLImagePixels
{
    /// <summary>The colours of an image; transparency is ignored.</summary>
    /// <exception cref="NotSupportedException">The image's layout of pixels is none of ML.NET's two.</exception>
    public static RgbImage ToRgb(MLImage image)
    {
        int red = image.PixelFormat switch
        {
            MLPixelFormat.Rgba32 => 0,
            MLPixelFormat.Bgra32 => 2,
            _ => throw new NotSupportedException($"An image with pixels of format {image.PixelFormat} cannot be read."),
        };
        ReadOnlySpan<byte> source = image.Pixels;
        byte[] target = GC.AllocateUninitializedArray<byte>(3 * image.Width * image.Height);
        for (int from = 0, to = 0; to < target.Length; from += 4, to += 3)
        {
            target[to] = source[from + red];
            target[to + 1] = source[from + 1];
            target[to + 2] = source[from + 2 - red];
        }

        return new RgbImage(image.Width, image.Height, target);
    }
}
