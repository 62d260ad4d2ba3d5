namespace Microsoft.ML.Distillation.Data.Formats;

/// <summary>
/// Parses a KITTI label file. A line is an object of 15 columns, or 16 with a score, which is passed over: type, truncated,
/// occluded, alpha, x0 y0 x1 y1 (pixels from 0), and size, place and angle in space, seven numbers that are checked and not kept.
/// </summary>
internal static class KittiLabels
{
    private const int FirstCorner = 4;

    /// <summary>The objects of a file. A region marked DontCare has an empty label and is marked <see cref="AnnotatedObject.Ignore"/>.</summary>
    /// <exception cref="FormatException">A line is not as it must be; the message names file and line.</exception>
    public static List<AnnotatedObject> Read(Stream stream, string file)
    {
        using var lines = new TextLines(stream, file);
        var objects = new List<AnnotatedObject>();
        foreach (string line in lines.NonEmpty()) objects.Add(ReadObject(lines, line.Split((char[]?)null, StringSplitOptions.RemoveEmptyEntries)));
        return objects;
    }

    private static AnnotatedObject ReadObject(TextLines lines, string[] columns)
    {
        if (columns.Length is not (15 or 16)) throw lines.Error($"15 or 16 columns are expected, not {columns.Length}");
        Span<double> numbers = stackalloc double[16];
        for (int i = 1; i < columns.Length; i++)
        {
            if (!NumberText.TryParse(columns[i], out numbers[i])) throw lines.Error($"column {i + 1} holds {AnnotationError.Quote(columns[i])}, which is no number");
        }

        Span<double> corners = numbers[FirstCorner..];
        if (AnnotatedObject.Problem(corners[0], corners[1], corners[2], corners[3]) is { } problem) throw lines.Error(problem);
        bool isRegion = columns[0] == "DontCare";
        // DontCare regions have -1 in both; so have the objects of tools that do not know.
        if (numbers[1] is not (-1 or (>= 0 and <= 1))) throw lines.Error($"column 2 (truncated) holds '{columns[1]}', which is not from 0 to 1");
        if (numbers[2] is not (-1 or 0 or 1 or 2 or 3)) throw lines.Error($"column 3 (occluded) holds '{columns[2]}', which is none of 0, 1, 2, 3");
        return new AnnotatedObject(isRegion ? "" : columns[0], (float)corners[0], (float)corners[1], (float)corners[2], (float)corners[3])
        {
            Ignore = isRegion,
            Truncated = Math.Max((float)numbers[1], 0),
            Occluded = Math.Max((int)numbers[2], 0),
        };
    }
}
