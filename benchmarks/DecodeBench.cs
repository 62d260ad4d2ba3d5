using System.Globalization;
using Microsoft.ML.Distillation.Images;
using SkiaSharp;

namespace Microsoft.ML.Distillation.Benchmarks;

/// <summary>
/// A JPEG decoded at half its size, where that is still twice the network's input, beside one that is decoded whole: what it saves, and how
/// far the resized pixels are from those that the exported model will see, as it resizes whole images.
/// </summary>
internal static class DecodeBench
{
    private const int Images = 12, Width = 1600, Height = 1200, Input = 320;

    /// <summary>Prints both for drawn pictures, and for the images of a folder that the environment names in BENCH_IMAGES.</summary>
    public static void Run()
    {
        Run($"drawn, {Width}×{Height}", [.. Enumerable.Range(0, Images).Select(i => DrawnPhotos.Draw(Width, Height, i).Jpeg)], Input);
        if (Environment.GetEnvironmentVariable("BENCH_IMAGES") is { Length: > 0 } folder)
        {
            byte[][] photos = [.. ImageFiles.In(folder).Take(64).Select(File.ReadAllBytes)];
            using SKCodec first = SKCodec.Create(SKData.CreateCopy(photos[0]));
            Run($"{photos.Length} of {folder}", photos, Math.Min(first.Info.Width, first.Info.Height) / 4);
        }
    }

    private static void Run(string name, byte[][] jpegs, int input)
    {
        double[] seconds = Report.MedianSeconds(
            3, () => Array.ForEach(jpegs, jpeg => Decode(jpeg, 1)), () => Array.ForEach(jpegs, jpeg => Decode(jpeg, 0.5f)));
        double sum = 0, largest = 0;
        long values = 0;
        var size = new ImageSize(input, input);
        foreach (byte[] jpeg in jpegs)
        {
            float[] whole = AntialiasedResize.Resize(Decode(jpeg, 1), size), half = AntialiasedResize.Resize(Decode(jpeg, 0.5f), size);
            for (int i = 0; i < whole.Length; i++)
            {
                double difference = 255 * Math.Abs(whole[i] - half[i]);
                sum += difference;
                largest = Math.Max(largest, difference);
            }

            values += whole.Length;
        }

        Console.WriteLine(string.Create(CultureInfo.InvariantCulture,
            $"JPEG decoded at half its size ({name}, input {input}): {1e3 * seconds[1] / jpegs.Length:0.0} ms in place of "
            + $"{1e3 * seconds[0] / jpegs.Length:0.0} ms an image; pixels differ by {sum / values:0.00} of 255 in the mean, "
            + $"{largest:0.0} at most"));
    }

    private static RgbImage Decode(byte[] jpeg, float scale)
    {
        using SKCodec codec = SKCodec.Create(SKData.CreateCopy(jpeg));
        SKSizeI size = codec.GetScaledDimensions(scale);
        using var bitmap = new SKBitmap(new SKImageInfo(size.Width, size.Height, SKColorType.Rgba8888, SKAlphaType.Opaque));
        codec.GetPixels(bitmap.Info, bitmap.GetPixels());
        ReadOnlySpan<byte> rgba = bitmap.GetPixelSpan();
        var rgb = new byte[3 * size.Width * size.Height];
        for (int from = 0, to = 0; to < rgb.Length; from += 4, to += 3)
            (rgb[to], rgb[to + 1], rgb[to + 2]) = (rgba[from], rgba[from + 1], rgba[from + 2]);
        return new RgbImage(size.Width, size.Height, rgb);
    }
}
