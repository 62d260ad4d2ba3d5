using System.Text;
using SkiaSharp;

namespace Microsoft.ML.Distillation.Drawing;

/// <summary>
/// The letters of pictures: DejaVu Sans, which is part of this assembly, so that names look the same on every machine, with no font
/// installed. It covers Latin, Greek, Cyrillic, Armenian, Georgian, Hebrew, Arabic (letters stand unjoined) and many symbols; what it
/// lacks is drawn as a box.
/// </summary>
internal static class Lettering
{
    private const string Ellipsis = "…";

    // A font file is read once, and never changes.
    private static readonly SKTypeface Typeface = Load();

    /// <summary>The height of a line in pixels.</summary>
    /// <param name="size">The font's size in pixels.</param>
    public static float HeightOf(float size)
    {
        using SKFont font = Font(size);
        return MathF.Ceiling(font.Metrics.Descent - font.Metrics.Ascent);
    }

    /// <summary>The width of a text in pixels.</summary>
    /// <inheritdoc cref="HeightOf"/>
    public static float WidthOf(string text, float size) => MathF.Ceiling(Widths(Clean(text), size).Sum());

    /// <summary>As much of the text as is not wider than a width, with an ellipsis where it is cut; the ellipsis at least.</summary>
    public static string Fit(string text, float size, float width)
    {
        string clean = Clean(text);
        float[] widths = Widths(clean, size);
        if (MathF.Ceiling(widths.Sum()) <= width) return text;
        float room = width - WidthOf(Ellipsis, size);
        int kept = widths.TakeWhile(letter => (room -= letter) >= 0).Count();
        return string.Concat(clean.EnumerateRunes().Take(kept).Select(rune => rune.ToString())).TrimEnd() + Ellipsis;
    }

    /// <summary>Draws a text; its line's upper left corner is given.</summary>
    public static void Draw(SKCanvas canvas, string text, float x, float top, float size, Color color)
    {
        using SKFont font = Font(size);
        using var paint = new SKPaint { Color = color.ToSkia(), IsAntialias = true };
        canvas.DrawText(InVisualOrder(Clean(text)), x, top - font.Metrics.Ascent, font, paint);
    }

    private static SKFont Font(float size) => new(Typeface, size) { Edging = SKFontEdging.Antialias };

    /// <summary>The width of each character.</summary>
    private static float[] Widths(string text, float size)
    {
        using SKFont font = Font(size);
        int[] characters = [.. text.EnumerateRunes().Select(rune => rune.Value)];
        var glyphs = new ushort[characters.Length];
        var widths = new float[characters.Length];
        font.GetGlyphs(characters, glyphs);
        font.GetGlyphWidths(glyphs, widths, [], null);
        return widths;
    }

    /// <summary>Accents joined with their letters; halves of characters, which no text should hold, replaced.</summary>
    private static string Clean(string text)
        => string.Concat(text.EnumerateRunes().Select(rune => rune.ToString())).Normalize(NormalizationForm.FormC);

    /// <summary>Runs of letters that are written from right to left, reversed: glyphs are set from left to right.</summary>
    private static string InVisualOrder(string text)
    {
        if (!text.Any(IsRightToLeft)) return text;
        char[] letters = text.ToCharArray();
        for (int start = 0; start < letters.Length; start++)
        {
            if (!IsRightToLeft(letters[start])) continue;
            int end = start + 1;
            // Blanks between two such words belong to the run.
            for (int i = end; i < letters.Length && (IsRightToLeft(letters[i]) || letters[i] == ' '); i++)
            {
                if (letters[i] != ' ') end = i + 1;
            }

            Array.Reverse(letters, start, end - start);
            start = end;
        }

        return new string(letters);
    }

    private static bool IsRightToLeft(char c)
        => c is (>= '\u0590' and <= '\u08FF') or (>= '\uFB1D' and <= '\uFDFF') or (>= '\uFE70' and <= '\uFEFE');

    private static SKTypeface Load()
    {
        const string resource = "Microsoft.ML.Distillation.Drawing.DejaVuSans.ttf";
        using Stream stream = typeof(Lettering).Assembly.GetManifestResourceStream(resource)!;
        using SKData data = SKData.Create(stream);
        return SKTypeface.FromData(data)
            ?? throw new InvalidOperationException("SkiaSharp cannot read the font that is part of this library.");
    }
}
