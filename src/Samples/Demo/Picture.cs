using Microsoft.ML.Data;

namespace Microsoft.ML.Distillation.Samples.Demo;

/// <summary>An image in the making, pixel by pixel.</summary>
internal sealed class Picture(int width, int height)
{
    private readonly byte[] _rgba = [.. Enumerable.Repeat((byte[])[0, 0, 0, byte.MaxValue], width * height).SelectMany(pixel => pixel)];

    /// <summary>The width in pixels.</summary>
    public int Width { get; } = width;

    /// <summary>The height in pixels.</summary>
    public int Height { get; } = height;

    /// <summary>The colour of a pixel.</summary>
    public (byte Red, byte Green, byte Blue) this[int x, int y]
    {
        get => (_rgba[At(x, y)], _rgba[At(x, y) + 1], _rgba[At(x, y) + 2]);
        set => (_rgba[At(x, y)], _rgba[At(x, y) + 1], _rgba[At(x, y) + 2]) = value;
    }

    /// <summary>Puts an image at a place, where it must fit.</summary>
    public void Paste(MLImage image, int left, int top)
    {
        ReadOnlySpan<byte> pixels = image.Pixels;
        (int red, int blue) = image.PixelFormat == MLPixelFormat.Bgra32 ? (2, 0) : (0, 2);
        for (int y = 0; y < image.Height; y++)
        {
            for (int x = 0; x < image.Width; x++)
            {
                int at = 4 * (y * image.Width + x);
                this[left + x, top + y] = (pixels[at + red], pixels[at + 1], pixels[at + blue]);
            }
        }
    }

    /// <summary>The image as ML.NET has it.</summary>
    public MLImage ToMLImage() => MLImage.CreateFromPixels(Width, Height, MLPixelFormat.Rgba32, _rgba);

    /// <summary>Writes a file; the name's ending chooses JPEG or PNG.</summary>
    public void Save(string path)
    {
        using MLImage image = ToMLImage();
        image.Save(path);
    }

    private int At(int x, int y) => 4 * (y * Width + x);
}
