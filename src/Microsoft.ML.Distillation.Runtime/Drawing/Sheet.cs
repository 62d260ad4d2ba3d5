using Microsoft.ML.Distillation.Images;

namespace Microsoft.ML.Distillation.Drawing;

/// <summary>Small pictures with titles side by side.</summary>
internal static class Sheet
{
    /// <summary>The width of a picture's place.</summary>
    public const int CellWidth = 320;

    /// <summary>The size of a title's letters.</summary>
    public const float TitleSize = 13;

    /// <summary>The colour of the paper, and that of the letters.</summary>
    public static readonly Color Paper = new(244, 244, 242), Ink = new(40, 40, 40);

    private const int CellHeight = 240;
    private const int Bar = 20;
    private const int Gap = 8;
    private const int MostColumns = 6;

    /// <summary>Draws a sheet of cells.</summary>
    /// <param name="draw">Draws a cell: sheet, left, top, number.</param>
    public static Picture Draw(int cells, Action<Picture, int, int, int> draw)
    {
        int columns = Math.Clamp((int)Math.Ceiling(Math.Sqrt(1.4 * cells)), 1, MostColumns);
        int rows = (cells + columns - 1) / columns;
        var sheet = new Picture(columns * (CellWidth + Gap) + Gap, Math.Max(1, rows) * (CellHeight + Bar + Gap) + Gap);
        sheet.Fill(0, 0, sheet.Width, sheet.Height, Paper);
        for (int i = 0; i < cells; i++)
            draw(sheet, Gap + i % columns * (CellWidth + Gap), Gap + i / columns * (CellHeight + Bar + Gap), i);
        return sheet;
    }

    /// <summary>Writes a cell's title.</summary>
    public static void Write(Picture sheet, int x, int y, string title, Color? color = null)
        => sheet.Write(x, y + (Bar - Lettering.HeightOf(TitleSize)) / 2, Lettering.Fit(title, TitleSize, CellWidth), TitleSize,
            color ?? Ink);

    /// <summary>Puts a cell's picture below its title.</summary>
    public static void Paste(Picture sheet, int x, int y, Picture picture)
        => sheet.Paste(picture, x + (CellWidth - picture.Width) / 2, y + Bar + (CellHeight - picture.Height) / 2);

    /// <summary>An image as a cell shows it, and its scale; <see langword="null"/>: it cannot be read.</summary>
    public static (Picture Picture, float Scale)? Thumbnail(string path)
    {
        if (ImageFile.TryRead(path) is not ({ } image, _)) return null;
        float scale = Math.Min((float)CellWidth / image.Width, (float)CellHeight / image.Height);
        var size = new ImageSize(Math.Max(1, (int)(scale * image.Width)), Math.Max(1, (int)(scale * image.Height)));
        return (Picture.Of(image, size), scale);
    }
}
