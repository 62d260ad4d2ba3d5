using System.Text;
using Microsoft.ML.Distillation.Images;

namespace Microsoft.ML.Distillation.Formats;

/// <summary>
/// Reads OpenImages box files. Boxes stand in them as shares of the image, so every image is opened for its size. The file is read
/// once, at once, and kept, some fifty bytes a box; images that it does not name are not in the result.
/// </summary>
internal static class OpenImagesReader
{
    private const string ClassDescriptions = "class-descriptions";

    private static readonly string[] Folders = ["", "labels", "annotations", "csv"];

    /// <summary>The images of a file, or of the one file of a folder and split.</summary>
    /// <exception cref="DirectoryNotFoundException">The folder does not exist.</exception>
    /// <exception cref="FileNotFoundException">
    /// There is no annotation file of this split; or, as it is read, an image does not exist.
    /// </exception>
    /// <exception cref="FormatException">There are several.</exception>
    /// <exception cref="FormatException">A line is not as it must be, or a class has no name; the message names file and line.</exception>
    public static IEnumerable<AnnotatedImage> Read(AnnotationSource source)
    {
        string path = AnnotationFile.Find(
            source, Folders, "csv",
            split => [$"{split}-annotations-bbox.csv", $"*{split}-annotations-bbox.csv", $"{split}.csv", $"*{split}*.csv"],
            name => !name.Contains(ClassDescriptions, StringComparison.OrdinalIgnoreCase));
        string folder = Path.GetDirectoryName(path)!;
        string? namesPath = source.FindNamesFile(
            folder, $"*{ClassDescriptions}*.csv", $"../*{ClassDescriptions}*.csv", "../metadata/classes.csv");
        ClassCodes? names = namesPath is null ? null : ClassCodes.ReadMachineIds(namesPath);
        using TextLines lines = TextLines.Open(path);
        IReadOnlyList<OpenImagesEntry> entries = OpenImagesCsv.Read(lines, names, source.Notes);
        var images = new ImageFinder(source.GivenImageFolder() is { } given ? [given] : ImageFolders(folder, source.Split));
        return entries.Select(entry => InPixels(entry, path, images, source.ToleratesBrokenImages));
    }

    private static IEnumerable<string> ImageFolders(string folder, string? split)
    {
        string root = Path.GetFileName(folder) is "labels" or "annotations" or "csv" ? Path.GetDirectoryName(folder)! : folder;
        string[] inSplit = split is null ? [] : [Path.Combine(root, split), Path.Combine(root, "images", split)];
        return [.. inSplit, Path.Combine(root, "images"), Path.Combine(root, "data"), root];
    }

    private static AnnotatedImage InPixels(OpenImagesEntry entry, string file, ImageFinder images, bool toleratesBroken)
    {
        string path = images.Find(entry.Id);
        if (toleratesBroken && ImageFile.TrySizeOf(path) is null)
            return new AnnotatedImage(path, null, []) { Unplaced = entry.Objects.Count, Faults = entry.Faults };
        if (!File.Exists(path)) throw AnnotationError.NoImage(file, entry.Line, path);
        ImageSize size = ImageFile.SizeOf(path);
        return new AnnotatedImage(path, size, [.. entry.Objects.Select(item => item with
        {
            X0 = item.X0 * size.Width, Y0 = item.Y0 * size.Height, X1 = item.X1 * size.Width, Y1 = item.Y1 * size.Height,
        })])
        { Faults = entry.Faults };
    }
}

/// <summary>An image of an OpenImages file, with boxes in shares of it, 0 to 1.</summary>
/// <param name="Line">The line that names it first.</param>
internal sealed record OpenImagesEntry(string Id, int Line, List<AnnotatedObject> Objects)
{
    /// <summary>What is wrong with lines that are left out.</summary>
    public List<string> Faults { get; } = [];
}

/// <summary>
/// Parses an OpenImages box file. Columns are found by the header; ImageID, LabelName, XMin, XMax, YMin and YMax are needed,
/// IsOccluded, IsTruncated and IsGroupOf (1 yes, 0 no, -1 unknown, taken for no) are read, others passed over. A number may have a
/// decimal comma if it is quoted.
/// </summary>
internal sealed class OpenImagesCsv
{
    private static readonly string[] Needed = ["ImageID", "LabelName", "XMin", "YMin", "XMax", "YMax"];
    private static readonly string[] Flags = ["IsOccluded", "IsTruncated", "IsGroupOf"];

    private readonly TextLines _lines;
    private readonly ClassCodes? _names;
    private readonly int _columnCount;
    private readonly int[] _needed;
    private readonly int[] _flags;

    private OpenImagesCsv(TextLines lines, ClassCodes? names, List<string> header)
    {
        _lines = lines;
        _names = names;
        _columnCount = header.Count;
        _needed = [.. Needed.Select(name => header.IndexOf(name))];
        _flags = [.. Flags.Select(name => header.IndexOf(name))];
        if (header.Distinct(StringComparer.Ordinal).Count() < header.Count) throw lines.Error("the header names a column twice");
        int missing = Array.IndexOf(_needed, -1);
        if (missing >= 0) throw lines.Error($"the header has no column {Needed[missing]}");
    }

    /// <summary>The images, in the order in which they are named first.</summary>
    /// <param name="notes">Takes what is wrong with a line, which is then left out.</param>
    /// <exception cref="FormatException">A line is not as it must be, or a class has no name; the message names file and line.</exception>
    public static IReadOnlyList<OpenImagesEntry> Read(TextLines lines, ClassCodes? names, AnnotationNotes? notes = null)
    {
        var images = new Dictionary<string, OpenImagesEntry>(StringComparer.Ordinal);
        var inOrder = new List<OpenImagesEntry>();
        OpenImagesCsv? csv = null;
        foreach (string line in lines.NonEmpty())
        {
            if (csv is null)
            {
                csv = new OpenImagesCsv(lines, names, [.. CsvLine.Split(lines, line).Select(value => value.Trim())]);
                continue;
            }

            string? id = null;
            try
            {
                List<string> values = CsvLine.Split(lines, line);
                id = csv.ReadId(values);
                AnnotatedObject item = csv.ReadObject(values);
                if (ShareCheck.IsNone(item.X0) || ShareCheck.IsNone(item.Y0) || ShareCheck.IsNone(item.X1) || ShareCheck.IsNone(item.Y1))
                    ShareCheck.Note(notes, lines);
                EntryOf(id).Objects.Add(item);
            }
            catch (FormatException fault) when (notes?.Takes(fault, lines.File) == true)
            {
                if (id is not null) EntryOf(id).Faults.Add(fault.Message);
            }
        }

        return csv is null ? throw lines.Error("the file has no header") : inOrder;

        OpenImagesEntry EntryOf(string id)
        {
            if (images.TryGetValue(id, out OpenImagesEntry? image)) return image;
            inOrder.Add(images[id] = image = new OpenImagesEntry(id, lines.Number, []));
            return image;
        }
    }

    private string ReadId(List<string> values)
    {
        if (values.Count != _columnCount) throw _lines.Error($"{_columnCount} columns are expected, as in the header, not {values.Count}");
        return values[_needed[0]].Trim() is { Length: > 0 } id ? id : throw _lines.Error("ImageID is empty");
    }

    private AnnotatedObject ReadObject(List<string> values)
    {
        string label = values[_needed[1]].Trim();
        if (label.Length == 0) throw _lines.Error("LabelName is empty");
        if (_names is not null && ClassCodes.IsMachineId(label))
            label = _names.NameOf(label) ?? throw _lines.Error($"the class {AnnotationError.Quote(label)} has no name in '{_names.Path}'");
        double x0 = Number(values, 2), y0 = Number(values, 3), x1 = Number(values, 4), y1 = Number(values, 5);
        if (AnnotatedObject.Problem(x0, y0, x1, y1) is { } problem) throw _lines.Error(problem);
        return new AnnotatedObject(label, (float)x0, (float)y0, (float)x1, (float)y1)
        {
            Occluded = Flag(values, 0) ? 1 : 0,
            Truncated = Flag(values, 1) ? 1 : 0,
            Crowd = Flag(values, 2),
        };
    }

    private double Number(List<string> values, int column)
    {
        string text = values[_needed[column]];
        string point = text.Contains('.') ? text : text.Replace(',', '.');
        return NumberText.TryParse(point, out double number)
            ? number
            : throw _lines.Error($"{Needed[column]} holds {AnnotationError.Quote(text)}, which is no number");
    }

    private bool Flag(List<string> values, int flag)
    {
        if (_flags[flag] < 0) return false;
        string text = values[_flags[flag]].Trim();
        return text.ToLowerInvariant() switch
        {
            "" or "0" or "-1" or "false" => false,
            "1" or "true" => true,
            _ => throw _lines.Error($"{Flags[flag]} holds {AnnotationError.Quote(text)}, which is none of 1, 0, -1"),
        };
    }
}

/// <summary>Splits a line of comma-separated values. A quoted value cannot go over the end of the line.</summary>
internal static class CsvLine
{
    /// <summary>The values of a line.</summary>
    /// <exception cref="FormatException">A quote is not closed, or text follows it.</exception>
    public static List<string> Split(TextLines lines, string line)
    {
        var values = new List<string>();
        int at = 0;
        while (true)
        {
            if (at < line.Length && line[at] == '"')
            {
                values.Add(Quoted(lines, line, ref at));
            }
            else
            {
                int end = line.IndexOf(',', at);
                if (end < 0) end = line.Length;
                values.Add(line[at..end]);
                at = end;
            }

            if (at == line.Length) return values;
            if (line[at] != ',') throw lines.Error("text follows a closing quote");
            at++;
        }
    }

    private static string Quoted(TextLines lines, string line, ref int at)
    {
        var value = new StringBuilder();
        while (true)
        {
            int end = line.IndexOf('"', at + 1);
            if (end < 0) throw lines.Error("a quote is not closed");
            value.Append(line, at + 1, end - at - 1);
            at = end + 1;
            if (at >= line.Length || line[at] != '"') return value.ToString();
            // Two quotes stand for one.
            value.Append('"');
        }
    }
}
