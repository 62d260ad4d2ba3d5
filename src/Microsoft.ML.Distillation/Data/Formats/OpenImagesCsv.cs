namespace Microsoft.ML.Distillation.Data.Formats;

/// <summary>An image of an OpenImages file, with boxes in shares of it, 0 to 1.</summary>
/// <param name="Line">The line that names it first.</param>
internal sealed record OpenImagesEntry(string Id, int Line, List<AnnotatedObject> Objects);

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
    private readonly ClassNameFile? _names;
    private readonly int _columnCount;
    private readonly int[] _needed;
    private readonly int[] _flags;

    private OpenImagesCsv(TextLines lines, ClassNameFile? names, List<string> header)
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
    /// <exception cref="FormatException">A line is not as it must be, or a class has no name; the message names file and line.</exception>
    public static IReadOnlyList<OpenImagesEntry> Read(TextLines lines, ClassNameFile? names)
    {
        var images = new Dictionary<string, OpenImagesEntry>(StringComparer.Ordinal);
        var inOrder = new List<OpenImagesEntry>();
        OpenImagesCsv? csv = null;
        foreach (string line in lines.NonEmpty())
        {
            List<string> values = CsvLine.Split(lines, line);
            if (csv is null)
            {
                csv = new OpenImagesCsv(lines, names, [.. values.Select(value => value.Trim())]);
                continue;
            }

            (string id, AnnotatedObject item) = csv.ReadLine(values);
            if (!images.TryGetValue(id, out OpenImagesEntry? image))
            {
                images[id] = image = new OpenImagesEntry(id, lines.Number, []);
                inOrder.Add(image);
            }

            image.Objects.Add(item);
        }

        return csv is null ? throw lines.Error("the file has no header") : inOrder;
    }

    private (string Id, AnnotatedObject Object) ReadLine(List<string> values)
    {
        if (values.Count != _columnCount) throw _lines.Error($"{_columnCount} columns are expected, as in the header, not {values.Count}");
        string id = values[_needed[0]].Trim(), label = values[_needed[1]].Trim();
        if (id.Length == 0) throw _lines.Error("ImageID is empty");
        if (label.Length == 0) throw _lines.Error("LabelName is empty");
        if (_names is not null && ClassNameFile.IsMachineId(label))
            label = _names.NameOf(label) ?? throw _lines.Error($"the class {AnnotationError.Quote(label)} has no name in '{_names.Path}'");
        double x0 = Number(values, 2), y0 = Number(values, 3), x1 = Number(values, 4), y1 = Number(values, 5);
        if (AnnotatedObject.Problem(x0, y0, x1, y1) is { } problem) throw _lines.Error(problem);
        return (id, new AnnotatedObject(label, (float)x0, (float)y0, (float)x1, (float)y1)
        {
            Occluded = Flag(values, 0) ? 1 : 0,
            Truncated = Flag(values, 1) ? 1 : 0,
            Crowd = Flag(values, 2),
        });
    }

    private double Number(List<string> values, int column)
    {
        string text = values[_needed[column]];
        string point = text.Contains('.') ? text : text.Replace(',', '.');
        return NumberText.TryParse(point, out double number) ? number : throw _lines.Error($"{Needed[column]} holds {AnnotationError.Quote(text)}, which is no number");
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
