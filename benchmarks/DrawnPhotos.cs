using SkiaSharp;

namespace Microsoft.ML.Distillation.Benchmarks;

/// <summary>Drawn pictures as JPEG files, as large and as hard to decode as photos: soft colours, lines and grain.</summary>
internal static class DrawnPhotos
{
    /// <summary>A picture with one disc, whose box is x0 y0 x1 y1 in pixels, as the bytes of a JPEG.</summary>
    public static (byte[] Jpeg, float[] Box) Draw(int width, int height, int seed)
    {
        var random = new Random(seed);
        using var bitmap = new SKBitmap(width, height, SKColorType.Rgba8888, SKAlphaType.Opaque);
        using var canvas = new SKCanvas(bitmap);
        using (var paint = new SKPaint())
        {
            paint.Shader = SKShader.CreateLinearGradient(
                new SKPoint(0, 0), new SKPoint(width, height), [Colour(random), Colour(random), Colour(random)], SKShaderTileMode.Clamp);
            canvas.DrawRect(0, 0, width, height, paint);
        }

        using var pen = new SKPaint { IsAntialias = true, StrokeWidth = 2 };
        for (int i = 0; i < 60; i++)
        {
            pen.Color = Colour(random).WithAlpha(120);
            canvas.DrawLine(Share(width), Share(height), Share(width), Share(height), pen);
        }

        for (int i = 0; i < width * height / 100; i++)
        {
            pen.Color = Colour(random).WithAlpha(60);
            canvas.DrawRect(Share(width), Share(height), 3, 3, pen);
        }

        float radius = height * (0.1f + 0.15f * random.NextSingle());
        float x = radius + (width - 2 * radius) * random.NextSingle(), y = radius + (height - 2 * radius) * random.NextSingle();
        pen.Color = new SKColor(230, 60, 40);
        canvas.DrawCircle(x, y, radius, pen);
        canvas.Flush();
        using SKData data = bitmap.Encode(SKEncodedImageFormat.Jpeg, 85);
        return (data.ToArray(), [x - radius, y - radius, x + radius, y + radius]);

        float Share(int length) => length * random.NextSingle();
    }

    private static SKColor Colour(Random random) => new((byte)random.Next(256), (byte)random.Next(256), (byte)random.Next(256));
}
