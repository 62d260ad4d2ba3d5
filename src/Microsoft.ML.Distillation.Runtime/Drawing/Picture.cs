using Microsoft.ML.Data;
using Microsoft.ML.Distillation.Files;

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

/// <summary>
/// A font of five by eight dots for printable ASCII. A glyph is eight digits of base 32, one for each row from the top; the
/// highest of a digit's five bits is the leftmost dot.
/// </summary>
internal static class BitmapFont
{
    /// <summary>A glyph's width in dots.</summary>
    public const int Width = 5;

    /// <summary>A glyph's height in dots; the last row holds descenders.</summary>
    public const int Height = 8;

    private const char First = ' ';

    private static readonly string[] Glyphs =
    [
        "00000000", "44444040", "AA000000", "AAVAVAA0", "4FKE5U40", "OP248J30", "CIK8LID0", "44000000",
        "24888420", "84222480", "04LEL400", "044V4400", "00000C48", "000V0000", "00000CC0", "01248G00",
        "EHJLPHE0", "4C4444E0", "EH1248V0", "V2421HE0", "26AIV220", "VGU11HE0", "68GUHHE0", "V1248880",
        "EHHEHHE0", "EHHF12C0", "0CC0CC00", "0CC0C480", "248G8420", "00V0V000", "84212480", "EH124040",
        "EH1DLLE0", "EHHVHHH0", "UHHUHHU0", "EHGGGHE0", "SIHHHIS0", "VGGUGGV0", "VGGUGGG0", "EHGNHHF0",
        "HHHVHHH0", "E44444E0", "72222IC0", "HIKOKIH0", "GGGGGGV0", "HRLLHHH0", "HHPLJHH0", "EHHHHHE0",
        "UHHUGGG0", "EHHHLID0", "UHHUKIH0", "FGGE11U0", "V4444440", "HHHHHHE0", "HHHHHA40", "HHHLLLA0",
        "HHA4AHH0", "HHHA4440", "V1248GV0", "E88888E0", "0G842100", "E22222E0", "4AH00000", "0000000V",
        "84200000", "00E1FHF0", "GGMPHHU0", "00EGGHE0", "11DJHHF0", "00EHVGE0", "698S8880", "00FHHF1E",
        "GGMPHHH0", "40C444E0", "206222IC", "GGIKOKI0", "C44444E0", "00QLLHH0", "00MPHHH0", "00EHHHE0",
        "00UHHUGG", "00FHHF11", "00MPGGG0", "00EGE1U0", "88S88960", "00HHHJD0", "00HHHA40", "00HHLLA0",
        "00HA4AH0", "00HHHF1E", "00V248V0", "24484420", "44444440", "84424480", "008L2000",
    ];

    /// <summary>Whether a dot of a character is set; characters outside printable ASCII look like a question mark.</summary>
    public static bool IsSet(char character, int column, int row)
    {
        int index = character - First;
        string glyph = Glyphs[(uint)index < (uint)Glyphs.Length ? index : '?' - First];
        char digit = glyph[row];
        int bits = digit <= '9' ? digit - '0' : digit - 'A' + 10;
        return (bits >> (Width - 1 - column) & 1) != 0;
    }

    /// <summary>A text's width in dots, with one empty column between characters.</summary>
    public static int WidthOf(string text) => text.Length == 0 ? 0 : text.Length * (Width + 1) - 1;
}
