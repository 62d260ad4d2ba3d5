namespace Microsoft.ML.Distillation.Data.Formats;

/// <summary>Parses a YOLO label file: an object a line, <c>class x y width height</c>, its centre and size in shares of the image.</summary>
internal static class YoloLabels
{
    /// <summary>The objects of a file.</summary>
    /// <param name="names">The classes.</param>
    /// <param name="size">The image's size.</param>
    /// <exception cref="FormatException">A line is not as it must be; the message names file and line.</exception>
    public static List<AnnotatedObject> Read(Stream stream, string file, YoloNames names, ImageSize size)
    {
        using var lines = new TextLines(stream, file);
        var objects = new List<AnnotatedObject>();
        foreach (string line in lines.NonEmpty()) objects.Add(ReadObject(lines, line.Split((char[]?)null, StringSplitOptions.RemoveEmptyEntries), names, size));
        return objects;
    }

    private static AnnotatedObject ReadObject(TextLines lines, string[] columns, YoloNames names, ImageSize size)
    {
        if (columns.Length != 5) throw lines.Error($"5 columns are expected (class, centre x, y, width, height), not {columns.Length}");
        if (!NumberText.TryParse(columns[0], out int index)) throw lines.Error($"{AnnotationError.Quote(columns[0])} is no number of a class");
        string label = names[index] ?? throw lines.Error($"class {index} is not among the {names.Count} of '{names.File}'");
        Span<double> numbers = stackalloc double[4];
        for (int i = 0; i < 4; i++)
        {
            if (!NumberText.TryParse(columns[i + 1], out numbers[i]))
                throw lines.Error($"column {i + 2} holds {AnnotationError.Quote(columns[i + 1])}, which is no number");
        }

        double x0 = (numbers[0] - numbers[2] / 2) * size.Width, x1 = (numbers[0] + numbers[2] / 2) * size.Width;
        double y0 = (numbers[1] - numbers[3] / 2) * size.Height, y1 = (numbers[1] + numbers[3] / 2) * size.Height;
        return AnnotatedObject.Problem(x0, y0, x1, y1) is { } problem
            ? throw lines.Error(problem)
            : new AnnotatedObject(label, (float)x0, (float)y0, (float)x1, (float)y1);
    }
}
