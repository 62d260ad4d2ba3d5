using System.Globalization;

namespace Microsoft.ML.Distillation.Drawing;

/// <summary>Draws boxes with names and scores.</summary>
internal static class DetectionPainter
{
    // Well apart from one another, on bright and on dark images.
    private static readonly Color[] Colors =
    [
        new(230, 60, 60), new(40, 130, 255), new(60, 190, 75), new(255, 175, 20), new(170, 70, 210), new(0, 190, 200),
        new(245, 95, 175), new(150, 205, 30), new(165, 105, 55), new(110, 115, 255), new(0, 150, 120), new(255, 225, 70),
    ];

    /// <summary>The colour of a class.</summary>
    public static Color ColorOf(int label) => Colors[label % Colors.Length];

    /// <summary>Draws one detection: a frame, and above it, or inside where there is no room, the name on the class's colour.</summary>
    /// <param name="box">x0 y0 x1 y1 in pixels.</param>
    /// <param name="label">The class's number, for its colour.</param>
    /// <param name="name">The class's name; where the picture is narrower, the score stays and the name is shortened.</param>
    /// <param name="score">Its score, or null for an annotation.</param>
    public static void Draw(Picture picture, ReadOnlySpan<float> box, int label, string name, float? score)
    {
        int longest = Math.Max(picture.Width, picture.Height), thickness = Math.Max(2, longest / 300);
        int x = Pixel(box[0], picture.Width), y = Pixel(box[1], picture.Height);
        int width = Math.Max(1, Pixel(box[2], picture.Width) - x), height = Math.Max(1, Pixel(box[3], picture.Height) - y);
        Color color = ColorOf(label);
        picture.Frame(x, y, width, height, thickness, color);

        float size = Math.Max(11, longest / 55f), pad = MathF.Round(size / 4);
        string figure = score is float value ? value.ToString(" 0.00", CultureInfo.InvariantCulture) : "";
        string text = Lettering.Fit(name, size, picture.Width - 2 * pad - Lettering.WidthOf(figure, size)) + figure;
        if (text.Length == 0) return;
        float textWidth = Lettering.WidthOf(text, size) + 2 * pad, textHeight = Lettering.HeightOf(size);
        float left = Math.Clamp(x, 0, Math.Max(0, picture.Width - textWidth));
        float top = y >= textHeight ? y - textHeight : Math.Clamp(y, 0, Math.Max(0, picture.Height - textHeight));
        picture.Fill(left, top, textWidth, textHeight, color);
        picture.Write(left + pad, top, text, size, color.Contrast);
    }

    private static int Pixel(float coordinate, int size)
        => float.IsNaN(coordinate) ? 0 : (int)Math.Clamp(MathF.Round(coordinate), 0, size);
}
