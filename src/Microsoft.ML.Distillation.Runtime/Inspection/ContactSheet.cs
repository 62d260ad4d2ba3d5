using Microsoft.ML.Distillation.Drawing;
using Microsoft.ML.Distillation.Formats;
using Microsoft.ML.Distillation.Images;

namespace Microsoft.ML.Distillation.Inspection;

/// <summary>Many small annotated pictures on one sheet.</summary>
internal static class ContactSheet
{
    private const int CellWidth = 320;
    private const int CellHeight = 240;
    private const int Bar = 20;
    private const int Gap = 8;
    private const int MostColumns = 6;
    private const int MarkReach = 9;
    private const float TitleSize = 13;
    private static readonly Color Paper = new(244, 244, 242), Ink = new(40, 40, 40), Alarm = new(200, 30, 30);

    /// <summary>Draws the sheet.</summary>
    public static Picture Draw(DetectionDataInspection inspection, int count)
    {
        ILookup<string, DetectionDataDefect> defects = inspection.Defects.ToLookup(defect => defect.ImagePath);
        AnnotatedImage[] chosen = [.. Choose(inspection.Annotated, defects, count)];
        string[] classes = [.. inspection.Classes.Select(found => found.Name)];
        int columns = Math.Clamp((int)Math.Ceiling(Math.Sqrt(1.4 * chosen.Length)), 1, MostColumns);
        int rows = (chosen.Length + columns - 1) / columns;
        var sheet = new Picture(columns * (CellWidth + Gap) + Gap, Math.Max(1, rows) * (CellHeight + Bar + Gap) + Gap);
        sheet.Fill(0, 0, sheet.Width, sheet.Height, Paper);
        for (int i = 0; i < chosen.Length; i++)
        {
            int x = Gap + i % columns * (CellWidth + Gap), y = Gap + i / columns * (CellHeight + Bar + Gap);
            DrawCell(sheet, x, y, chosen[i], classes, [.. defects[chosen[i].ImagePath]]);
        }

        return sheet;
    }

    /// <summary>At most half of the places go to images with a defect.</summary>
    private static IEnumerable<AnnotatedImage> Choose(
        IReadOnlyList<AnnotatedImage> images, ILookup<string, DetectionDataDefect> defects, int count)
    {
        AnnotatedImage[] faulty = [.. images.Where(image => defects.Contains(image.ImagePath)).Take((count + 1) / 2)];
        AnnotatedImage[] others = [.. images.Except(faulty)];
        int wanted = Math.Min(count - faulty.Length, others.Length);
        return [.. faulty, .. Enumerable.Range(0, wanted).Select(i => others[(int)((long)i * others.Length / wanted)])];
    }

    private static void DrawCell(Picture sheet, int x, int y, AnnotatedImage image, string[] classes, DetectionDataDefect[] defects)
    {
        string problems = defects.Length > 0 ? ": " + string.Join(", ", defects.Select(defect => Words(defect.Kind)).Distinct()) : "";
        // Of a long name the end is left out, never what is wrong.
        float room = Math.Max(CellWidth / 4, CellWidth - Lettering.WidthOf(problems, TitleSize));
        string title = Lettering.Fit(Lettering.Fit(Path.GetFileName(image.ImagePath), TitleSize, room) + problems, TitleSize, CellWidth);
        sheet.Write(x, y + (Bar - Lettering.HeightOf(TitleSize)) / 2, title, TitleSize, defects.Length > 0 ? Alarm : Ink);
        if (Thumbnail(image.ImagePath) is not (Picture picture, float scale)) return;
        foreach (AnnotatedObject item in image.Objects)
        {
            int label = Math.Max(0, Array.IndexOf(classes, item.Label));
            float[] box = [scale * item.X0, scale * item.Y0, scale * item.X1, scale * item.Y1];
            DetectionPainter.Draw(picture, box, label, item.Ignore ? "ignore" : item.Label, null);
        }

        foreach (AnnotatedObject item in image.Objects.Where(item => !item.Ignore && (item.X1 <= item.X0 || item.Y1 <= item.Y0)))
            Mark(picture, item, scale);

        sheet.Paste(picture, x + (CellWidth - picture.Width) / 2, y + Bar + (CellHeight - picture.Height) / 2);
    }

    /// <summary>
    /// A frame around a box without area, which would be a dot or a line that nobody sees; black and white, as no class is drawn.
    /// </summary>
    private static void Mark(Picture picture, AnnotatedObject item, float scale)
    {
        (int x, int width) = Around(scale * item.X0, scale * item.X1, picture.Width);
        (int y, int height) = Around(scale * item.Y0, scale * item.Y1, picture.Height);
        picture.Frame(x, y, width, height, 2, Ink);
        picture.Frame(x + 2, y + 2, width - 4, height - 4, 2, Paper);

        static (int Start, int Length) Around(float from, float to, int size)
        {
            int length = Math.Min(size, (int)MathF.Round(to - from) + 2 * MarkReach + 1);
            return (Math.Clamp((int)MathF.Round(from) - MarkReach, 0, size - length), length);
        }
    }

    private static (Picture Picture, float Scale)? Thumbnail(string path)
    {
        if (ImageFile.TryRead(path) is not ({ } image, _)) return null;
        float scale = Math.Min((float)CellWidth / image.Width, (float)CellHeight / image.Height);
        var size = new ImageSize(Math.Max(1, (int)(scale * image.Width)), Math.Max(1, (int)(scale * image.Height)));
        return (Picture.Of(image, size), scale);
    }

    private static string Words(DetectionDefectKind kind) => kind switch
    {
        DetectionDefectKind.UnreadableImage => "unreadable",
        DetectionDefectKind.WrongImageSize => "wrong size",
        DetectionDefectKind.ZeroAreaBox => "box without area",
        DetectionDefectKind.BoxOutside => "box outside",
        DetectionDefectKind.RepeatedBox => "box twice",
        DetectionDefectKind.WrongAnnotation => "wrong annotation",
        _ => "duplicate",
    };
}
