using System.Globalization;
using System.Text.Json;
using System.Text.Json.Serialization;
using Microsoft.ML.Distillation.Files;

namespace Microsoft.ML.Distillation.Tool.Display;

/// <summary>An inspection of a data set as text and as JSON.</summary>
internal static class InspectionTable
{
    private const int MostDefects = 20;
    private const int MostSizes = 5;

    private static readonly JsonSerializerOptions Indented = new()
    {
        WriteIndented = true,
        PropertyNamingPolicy = JsonNamingPolicy.CamelCase,
        Converters = { new JsonStringEnumConverter(JsonNamingPolicy.CamelCase) },
        Encoder = System.Text.Encodings.Web.JavaScriptEncoder.UnsafeRelaxedJsonEscaping,
    };

    /// <summary>Writes parts, classes, sizes and defects.</summary>
    public static void Write(TextWriter output, DetectionDataInspection found)
    {
        foreach (DetectionDataSplit split in found.Splits)
            output.WriteLine($"{split.Name}: {Counted.Of(split.Images, "image")}, {Counted.Of(split.Objects, "object")}, "
                + $"{Counted.Of(split.EmptyImages, "image")} without objects");
        output.WriteLine();
        output.WriteLine("classes");
        int width = found.Classes.Select(c => c.Name.Length).DefaultIfEmpty(0).Max();
        int most = found.Classes.Select(c => Counted.Of(c.Images, "image").Length).DefaultIfEmpty(0).Max();
        foreach (DetectionDataClass c in found.Classes)
        {
            output.WriteLine(string.Create(CultureInfo.InvariantCulture,
                $"  {c.Name.PadRight(width)}  {c.Total,7} {(c.Total == 1 ? "object " : "objects")} "
                    + $"({100.0 * c.Total / Math.Max(1, found.Objects),4:0.0} %) "
                    + $"in {Counted.Of(c.Images, "image").PadRight(most)}  "
                    + $"({string.Join(", ", found.Splits.Select((s, i) => $"{s.Name} {c.Objects[i]}"))})"));
        }

        output.WriteLine();
        DetectionBoxSizes boxes = found.BoxSizes;
        output.WriteLine($"boxes: {boxes.Small} small (to 32×32 pixels), {boxes.Medium} medium (to 96×96), {boxes.Large} large");
        if (boxes.Widths.Count > 0)
        {
            output.WriteLine($"  width  5 % {Pixels(boxes.Widths[0])}, median {Pixels(boxes.Widths[2])}, 95 % {Pixels(boxes.Widths[4])} "
                + $"pixels");
            output.WriteLine($"  height 5 % {Pixels(boxes.Heights[0])}, median {Pixels(boxes.Heights[2])}, 95 % "
                + $"{Pixels(boxes.Heights[4])} pixels");
        }

        output.WriteLine($"images: {Sizes(found.ImageSizes)}");
        if (found.TurnedImages > 0)
        {
            string stored = found.StoredAnnotations == 0 ? ""
                : $"; {Counted.Of(found.StoredAnnotations, "annotation")} as they are stored, on their side: the boxes are turned too";
            output.WriteLine($"turned: {Counted.Of(found.TurnedImages, "photo")} that Exif data turn, seen upright{stored}");
        }

        if (found.Outlines > 0)
            output.WriteLine($"outlines: {Counted.Of(found.Outlines, "object")} with an outline, mask or turned box, whose box is taken");
        output.WriteLine();
        WriteDefects(output, found.Defects);
    }

    /// <summary>How many images are of the commonest sizes; where most are of sizes of their own, from which to which.</summary>
    private static string Sizes(IReadOnlyList<DetectionImageSize> sizes)
    {
        DetectionImageSize[] shown = [.. sizes.Take(MostSizes)];
        if (sizes.Count > MostSizes && 2 * shown.Sum(size => size.Images) < sizes.Sum(size => size.Images))
        {
            return $"{Counted.Of(sizes.Count, "size")}, widths {sizes.Min(size => size.Width)} to {sizes.Max(size => size.Width)}, heights "
                + $"{sizes.Min(size => size.Height)} to {sizes.Max(size => size.Height)} pixels";
        }

        string more = sizes.Count > MostSizes ? $", and {Counted.Of(sizes.Count - MostSizes, "other size")}" : "";
        return $"{string.Join(", ", shown.Select(size => $"{size.Images} of {size.Width}×{size.Height}"))}{more}";
    }

    /// <summary>Writes everything as JSON, beside and then renamed.</summary>
    public static void WriteJson(string path, DetectionDataInspection found)
        => Files.AtomicFile.Write(path, JsonSerializer.SerializeToUtf8Bytes(found, Indented));

    private static void WriteDefects(TextWriter output, IReadOnlyList<DetectionDataDefect> defects)
    {
        if (defects.Count == 0)
        {
            output.WriteLine("no defects found");
            return;
        }

        output.WriteLine(Counted.Of(defects.Count, "defect"));
        foreach (DetectionDataDefect defect in defects.Take(MostDefects))
            output.WriteLine($"  {defect.Split}/{OptionNames.Translate(defect.Message)}");
        if (defects.Count > MostDefects) output.WriteLine($"  … and {defects.Count - MostDefects} more; --output DIR writes them all");
    }

    private static string Pixels(float value) => value.ToString("0.#", CultureInfo.InvariantCulture);
}
