using Microsoft.ML.Distillation.Images;

namespace Microsoft.ML.Distillation.Formats;

/// <summary>
/// Reads ML.NET's text form of detection data: a line an image with its path, its labels separated by commas, and x0,y0,x1,y1 of
/// each box in pixels. A first line <c>ImagePath …</c> is a header. Labels cannot hold commas.
/// </summary>
internal static class TabSeparatedReader
{
    private static readonly string[] Folders = [""];

    /// <summary>The images of a file, or of the one file of a folder and split; lines are parsed when their turn comes.</summary>
    /// <exception cref="DirectoryNotFoundException">The folder does not exist.</exception>
    /// <exception cref="FileNotFoundException">There is no annotation file of this split.</exception>
    /// <exception cref="FormatException">There are several.</exception>
    /// <exception cref="FormatException">
    /// A line is not as it must be, or an image is named twice; the message names file and line.
    /// </exception>
    public static IEnumerable<AnnotatedImage> Read(AnnotationSource source)
    {
        string path = AnnotationFile.Find(source, Folders, "tsv", split => [$"{split}.tsv", $"*{split}*.tsv"]);
        string folder = Path.GetDirectoryName(path)!;
        var images = new ImageFinder(source.GivenImageFolder() is { } given ? [given] : [Path.Combine(folder, "images"), folder]);
        return Read(path, images, source.Notes);
    }

    /// <summary>The images of a text.</summary>
    /// <param name="findImage">Finds the path of an image by its name in the text.</param>
    /// <param name="notes">Takes what is wrong with an object or a line, which is then left out.</param>
    public static IEnumerable<AnnotatedImage> Read(TextLines lines, Func<string, string> findImage, AnnotationNotes? notes = null)
    {
        var seen = new HashSet<string>(StringComparer.Ordinal);
        while (lines.Next() is { } line)
        {
            if (!string.IsNullOrWhiteSpace(line) && TryRead(line) is { } image) yield return image;
        }

        AnnotatedImage? TryRead(string line)
        {
            try
            {
                return ReadImage(lines, line, seen, findImage, notes);
            }
            catch (FormatException fault) when (notes?.Takes(fault, lines.File) == true)
            {
                return null;
            }
        }
    }

    private static IEnumerable<AnnotatedImage> Read(string path, ImageFinder images, AnnotationNotes? notes)
    {
        using TextLines lines = TextLines.Open(path);
        foreach (AnnotatedImage image in Read(lines, images.Find, notes)) yield return image;
    }

    /// <summary>The image of a line; null for a header.</summary>
    private static AnnotatedImage? ReadImage(
        TextLines lines, string line, HashSet<string> seen, Func<string, string> findImage, AnnotationNotes? notes)
    {
        string[] columns = line.Split('\t');
        if (columns.Length != 3) throw lines.Error($"3 columns are expected (image, labels, boxes), not {columns.Length}");
        string name = columns[0].Trim();
        if (lines.Number == 1 && name.Equals("ImagePath", StringComparison.OrdinalIgnoreCase)) return null;
        if (name.Length == 0) throw lines.Error("the image has no path");
        if (!seen.Add(name)) throw lines.Error($"the image {AnnotationError.Quote(name)} is named twice");
        var faults = new List<string>();
        return new AnnotatedImage(findImage(name), null, ReadObjects(lines, columns[1], columns[2], notes, faults))
        { NamedIn = lines.File, Line = lines.Number, Faults = faults };
    }

    private static List<AnnotatedObject> ReadObjects(
        TextLines lines, string labelText, string boxText, AnnotationNotes? notes, List<string> faults)
    {
        string[] labels = Values(labelText), numbers = Values(boxText);
        if (numbers.Length != 4 * labels.Length)
            throw lines.Error($"{labels.Length} labels need {4 * labels.Length} numbers, not {numbers.Length}");
        var objects = new List<AnnotatedObject>(labels.Length);
        for (int i = 0; i < labels.Length; i++)
        {
            try
            {
                objects.Add(ReadObject(lines, labels[i], numbers.AsSpan(4 * i, 4), i));
            }
            catch (FormatException fault) when (notes?.Takes(fault, lines.File) == true)
            {
                faults.Add(fault.Message);
            }
        }

        return objects;
    }

    private static AnnotatedObject ReadObject(TextLines lines, string label, ReadOnlySpan<string> numbers, int index)
    {
        if (label.Length == 0) throw lines.Error($"label {index + 1} is empty");
        Span<double> box = stackalloc double[4];
        for (int k = 0; k < 4; k++)
        {
            if (!NumberText.TryParse(numbers[k], out box[k]))
                throw lines.Error($"the boxes hold {AnnotationError.Quote(numbers[k])}, which is no number");
        }

        return AnnotatedObject.Problem(box[0], box[1], box[2], box[3]) is { } problem
            ? throw lines.Error(problem)
            : new AnnotatedObject(label, (float)box[0], (float)box[1], (float)box[2], (float)box[3]);
    }

    private static string[] Values(string text) => string.IsNullOrWhiteSpace(text) ? [] : text.Split(',', StringSplitOptions.TrimEntries);
}
