using Microsoft.ML.Data;
using Microsoft.ML.Distillation.Images;

namespace Microsoft.ML.Distillation.Tests;

/// <summary>Images and data sets made up for tests.</summary>
internal static class DrawnImages
{
    /// <summary>Noise: every pixel differs from its neighbours.</summary>
    public static RgbImage Noise(int width, int height, int seed = 1)
    {
        var pixels = new byte[3 * width * height];
        new Random(seed).NextBytes(pixels);
        return new RgbImage(width, height, pixels);
    }

    /// <summary>One colour everywhere.</summary>
    public static RgbImage Plain(int width, int height, byte red, byte green, byte blue)
    {
        var pixels = new byte[3 * width * height];
        for (int i = 0; i < pixels.Length; i += 3) (pixels[i], pixels[i + 1], pixels[i + 2]) = (red, green, blue);
        return new RgbImage(width, height, pixels);
    }

    /// <summary>Fills a part of an image.</summary>
    public static void Fill(RgbImage image, int left, int top, int width, int height, (byte Red, byte Green, byte Blue) colour)
    {
        for (int y = top; y < top + height; y++)
        {
            for (int x = left; x < left + width; x++)
            {
                int at = 3 * (y * image.Width + x);
                (image.Pixels[at], image.Pixels[at + 1], image.Pixels[at + 2]) = colour;
            }
        }
    }

    /// <summary>The image as one of ML.NET's.</summary>
    public static MLImage ToMLImage(RgbImage image, MLPixelFormat format = MLPixelFormat.Bgra32)
    {
        var pixels = new byte[4 * image.Width * image.Height];
        int red = format == MLPixelFormat.Rgba32 ? 0 : 2;
        for (int from = 0, to = 0; from < image.Pixels.Length; from += 3, to += 4)
        {
            pixels[to + red] = image.Pixels[from];
            pixels[to + 1] = image.Pixels[from + 1];
            pixels[to + 2 - red] = image.Pixels[from + 2];
            pixels[to + 3] = 255;
        }

        return MLImage.CreateFromPixels(image.Width, image.Height, format, pixels);
    }

    /// <summary>Saves the image; the ending of the path decides the format.</summary>
    public static void Save(RgbImage image, string path)
    {
        using MLImage mlImage = ToMLImage(image);
        mlImage.Save(path);
    }
}
