using Microsoft.ML.Data;
using Microsoft.ML.Distillation.Onnx;

namespace Microsoft.ML.Distillation.Drawing;

/// <summary>A colour.</summary>
internal readonly record struct Color(byte Red, byte Green, byte Blue)
{
    /// <summary>White.</summary>
    public static readonly Color White = new(255, 255, 255);

    /// <summary>Black.</summary>
    public static readonly Color Black = new(0, 0, 0);

    /// <summary>Black or white, whichever is easier to read on this colour.</summary>
    public Color Contrast => 0.299 * Red + 0.587 * Green + 0.114 * Blue > 140 ? Black : White;
}

/// <summary>An image to draw on. What lies outside is not drawn.</summary>
internal sealed class Picture(int width, int height)
{
    private readonly byte[] _pixels = CreateOpaque(width, height);

    /// <summary>The width in pixels.</summary>
    public int Width { get; } = width;

    /// <summary>The height in pixels.</summary>
    public int Height { get; } = height;

    /// <summary>Copies an image.</summary>
    public static Picture Of(MLImage image)
    {
        var picture = new Picture(image.Width, image.Height);
        ReadOnlySpan<byte> source = image.Pixels;
        (int red, int blue) = image.PixelFormat == MLPixelFormat.Bgra32 ? (2, 0) : (0, 2);
        for (int i = 0; i < picture._pixels.Length; i += 4)
        {
            picture._pixels[i] = source[i + red];
            picture._pixels[i + 1] = source[i + 1];
            picture._pixels[i + 2] = source[i + blue];
        }

        return picture;
    }

    /// <summary>The colour of a pixel inside.</summary>
    public Color this[int x, int y]
    {
        get
        {
            int at = 4 * (y * Width + x);
            return new Color(_pixels[at], _pixels[at + 1], _pixels[at + 2]);
        }

        set
        {
            int at = 4 * (y * Width + x);
            (_pixels[at], _pixels[at + 1], _pixels[at + 2]) = (value.Red, value.Green, value.Blue);
        }
    }

    /// <summary>Fills a rectangle.</summary>
    public void Fill(int x, int y, int width, int height, Color color)
    {
        for (int row = Math.Max(y, 0); row < Math.Min(y + height, Height); row++)
        {
            for (int column = Math.Max(x, 0); column < Math.Min(x + width, Width); column++) this[column, row] = color;
        }
    }

    /// <summary>Draws the edges of a rectangle, lying inside of it.</summary>
    public void Frame(int x, int y, int width, int height, int thickness, Color color)
    {
        int sides = Math.Min(thickness, Math.Min(width, height));
        Fill(x, y, width, sides, color);
        Fill(x, y + height - sides, width, sides, color);
        Fill(x, y, sides, height, color);
        Fill(x + width - sides, y, sides, height, color);
    }

    /// <summary>Writes a text, each dot of the font as large as <paramref name="scale"/>.</summary>
    public void Write(int x, int y, string text, int scale, Color color)
    {
        for (int i = 0; i < text.Length; i++)
        {
            for (int row = 0; row < BitmapFont.Height; row++)
            {
                for (int column = 0; column < BitmapFont.Width; column++)
                {
                    if (BitmapFont.IsSet(text[i], column, row))
                        Fill(x + scale * (i * (BitmapFont.Width + 1) + column), y + scale * row, scale, scale, color);
                }
            }
        }
    }

    /// <summary>Puts another picture at a place.</summary>
    public void Paste(Picture other, int x, int y)
    {
        for (int row = Math.Max(0, -y); row < Math.Min(other.Height, Height - y); row++)
        {
            for (int column = Math.Max(0, -x); column < Math.Min(other.Width, Width - x); column++)
                this[x + column, y + row] = other[column, row];
        }
    }

    /// <summary>Writes the file beside and renames it, so that there is never half of one. The name's ending chooses JPEG or PNG.</summary>
    public void Save(string path) => AtomicFile.Write(path, beside =>
    {
        using var image = MLImage.CreateFromPixels(Width, Height, MLPixelFormat.Rgba32, _pixels);
        image.Save(beside);
    });

    private static byte[] CreateOpaque(int width, int height)
    {
        var pixels = new byte[4 * width * height];
        for (int i = 3; i < pixels.Length; i += 4) pixels[i] = byte.MaxValue;
        return pixels;
    }
}
