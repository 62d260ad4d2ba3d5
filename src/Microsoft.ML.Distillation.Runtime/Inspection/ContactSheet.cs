using Microsoft.ML.Distillation.Drawing;
using Microsoft.ML.Distillation.Formats;

namespace Microsoft.ML.Distillation.Inspection;

/// <summary>Many small annotated pictures on one sheet.</summary>
internal static class ContactSheet
{
    private const int MarkReach = 9;
    private static readonly Color Alarm = new(200, 30, 30);

    /// <summary>Draws the sheet.</summary>
    public static Picture Draw(DetectionDataInspection inspection, int count)
    {
        ILookup<string, DetectionDataDefect> defects = inspection.Defects.ToLookup(defect => defect.ImagePath);
        AnnotatedImage[] chosen = [.. Choose(inspection.Annotated, defects, count)];
        string[] classes = [.. inspection.Classes.Select(found => found.Name)];
        return Sheet.Draw(chosen.Length, (sheet, x, y, i) => DrawCell(sheet, x, y, chosen[i], classes, [.. defects[chosen[i].ImagePath]]));
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
        float room = Math.Max(Sheet.CellWidth / 4, Sheet.CellWidth - Lettering.WidthOf(problems, Sheet.TitleSize));
        string title = Lettering.Fit(Lettering.Fit(Path.GetFileName(image.ImagePath), Sheet.TitleSize, room) + problems, Sheet.TitleSize,
            Sheet.CellWidth);
        Sheet.Write(sheet, x, y, title, defects.Length > 0 ? Alarm : Sheet.Ink);
        if (Sheet.Thumbnail(image.ImagePath) is not (Picture picture, float scale)) return;
        DetectionPainter.Draw(picture, [.. image.Objects.Select(item => new DrawnBox(
            scale * item.X0, scale * item.Y0, scale * item.X1, scale * item.Y1, Math.Max(0, Array.IndexOf(classes, item.Label)),
            item.Ignore ? "ignore" : item.Label))]);
        foreach (AnnotatedObject item in image.Objects.Where(item => !item.Ignore && (item.X1 <= item.X0 || item.Y1 <= item.Y0)))
            Mark(picture, item, scale);

        Sheet.Paste(sheet, x, y, picture);
    }

    /// <summary>
    /// A frame around a box without area, which would be a dot or a line that nobody sees; black and white, as no class is drawn.
    /// </summary>
    private static void Mark(Picture picture, AnnotatedObject item, float scale)
    {
        (int x, int width) = Around(scale * item.X0, scale * item.X1, picture.Width);
        (int y, int height) = Around(scale * item.Y0, scale * item.Y1, picture.Height);
        picture.Frame(x, y, width, height, 2, Sheet.Ink);
        picture.Frame(x + 2, y + 2, width - 4, height - 4, 2, Sheet.Paper);

        static (int Start, int Length) Around(float from, float to, int size)
        {
            int length = Math.Min(size, (int)MathF.Round(to - from) + 2 * MarkReach + 1);
            return (Math.Clamp((int)MathF.Round(from) - MarkReach, 0, size - length), length);
        }
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
