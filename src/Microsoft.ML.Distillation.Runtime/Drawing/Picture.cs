using System.Runtime.InteropServices;
using Microsoft.ML.Data;
using Microsoft.ML.Distillation.Files;
using Microsoft.ML.Distillation.Images;
using SkiaSharp;

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

    /// <summary>The same for SkiaSharp.</summary>
    public SKColor ToSkia() => new(Red, Green, Blue);
}

/// <summary>An image to draw on. What lies outside is not drawn.</summary>
internal sealed class Picture
{
    // That of ML.NET's images: scenes that are drawn to train on stay the same, bit for bit.
    private const int JpegQuality = 100;

    private readonly byte[] _pixels;
    private readonly SKImageInfo _info;

    /// <summary>A black picture.</summary>
    public Picture(int width, int height)
    {
        _info = new SKImageInfo(width, height, SKColorType.Rgba8888, SKAlphaType.Opaque);
        // Pinned: SkiaSharp draws on the array itself.
        _pixels = GC.AllocateArray<byte>(_info.BytesSize, pinned: true);
        for (int i = 3; i < _pixels.Length; i += 4) _pixels[i] = byte.MaxValue;
    }

    /// <summary>The width in pixels.</summary>
    public int Width => _info.Width;

    /// <summary>The height in pixels.</summary>
    public int Height => _info.Height;

    private IntPtr Address => Marshal.UnsafeAddrOfPinnedArrayElement(_pixels, 0);

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

    /// <summary>Copies an image.</summary>
    public static Picture Of(RgbImage image)
    {
        var picture = new Picture(image.Width, image.Height);
        for (int from = 0, to = 0; from < image.Pixels.Length; from += 3, to += 4)
            image.Pixels.AsSpan(from, 3).CopyTo(picture._pixels.AsSpan(to));
        return picture;
    }

    /// <inheritdoc cref="Of(RgbImage)"/>
    public static Picture Of(MLImage image) => Of(MLImagePixels.ToRgb(image));

    /// <summary>An image at another size.</summary>
    public static Picture Of(RgbImage image, ImageSize size)
    {
        float[] planes = AntialiasedResize.Resize(image, size);
        var picture = new Picture(size.Width, size.Height);
        int area = size.Width * size.Height;
        for (int i = 0; i < planes.Length; i++)
            picture._pixels[4 * (i % area) + i / area] = (byte)Math.Clamp(MathF.Round(255 * planes[i]), 0, 255);
        return picture;
    }

    /// <summary>Fills a rectangle.</summary>
    public void Fill(float x, float y, float width, float height, Color color) => Draw(canvas =>
    {
        using var paint = new SKPaint { Color = color.ToSkia() };
        canvas.DrawRect(x, y, width, height, paint);
    });

    /// <summary>Draws the edges of a rectangle, lying inside of it.</summary>
    public void Frame(int x, int y, int width, int height, int thickness, Color color) => Draw(canvas =>
    {
        int sides = Math.Min(thickness, Math.Min(width, height));
        using var paint = new SKPaint { Color = color.ToSkia() };
        canvas.DrawRect(x, y, width, sides, paint);
        canvas.DrawRect(x, y + height - sides, width, sides, paint);
        canvas.DrawRect(x, y, sides, height, paint);
        canvas.DrawRect(x + width - sides, y, sides, height, paint);
    });

    /// <summary>Draws a straight line.</summary>
    public void Line(float x0, float y0, float x1, float y1, float thickness, Color color) => Draw(canvas =>
    {
        using var paint = new SKPaint { Color = color.ToSkia(), StrokeWidth = thickness, IsAntialias = true };
        canvas.DrawLine(x0, y0, x1, y1, paint);
    });

    /// <summary>Writes a text.</summary>
    /// <param name="x">Where it begins.</param>
    /// <param name="top">The upper edge of its line.</param>
    /// <param name="size">The font's size in pixels.</param>
    public void Write(float x, float top, string text, float size, Color color)
        => Draw(canvas => Lettering.Draw(canvas, text, x, top, size, color));

    /// <summary>Puts another picture at a place.</summary>
    public void Paste(Picture other, int x, int y) => Draw(canvas =>
    {
        using SKImage image = SKImage.FromPixels(other._info, other.Address);
        canvas.DrawImage(image, x, y);
    });

    /// <summary>The picture as ML.NET has it.</summary>
    public MLImage ToMLImage() => MLImage.CreateFromPixels(Width, Height, MLPixelFormat.Rgba32, _pixels);

    /// <summary>The content of a file of it.</summary>
    public byte[] Encode(SKEncodedImageFormat format)
    {
        using var pixels = new SKPixmap(_info, Address);
        using SKData data = pixels.Encode(format, JpegQuality);
        return data.ToArray();
    }

    /// <summary>Writes the file beside and renames it, so that there is never half of one. The name's ending chooses JPEG or PNG.</summary>
    public void Save(string path)
    {
        bool isJpeg = Path.GetExtension(path).ToUpperInvariant() is ".JPG" or ".JPEG";
        AtomicFile.Write(path, Encode(isJpeg ? SKEncodedImageFormat.Jpeg : SKEncodedImageFormat.Png));
    }

    private void Draw(Action<SKCanvas> draw)
    {
        using SKSurface surface = SKSurface.Create(_info, Address, _info.RowBytes);
        draw(surface.Canvas);
        GC.KeepAlive(_pixels);
    }
}
