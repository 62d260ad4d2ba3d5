namespace Microsoft.ML.Distillation.Data.Formats;

/// <summary>A name in the list of a split, and its line.</summary>
internal readonly record struct ListedName(string Name, int Line);

/// <summary>Reads the list of a split: a text file with an image a line.</summary>
internal static class SplitList
{
    /// <summary>The names in a list.</summary>
    /// <param name="numbered">Whether a number may follow each name (ImageNet's lists count their lines).</param>
    /// <exception cref="FileNotFoundException">The list is empty.</exception>
    /// <exception cref="FormatException">A name stands in it twice, or it is no text; the message names file and line.</exception>
    public static List<ListedName> Read(string path, bool numbered = false)
    {
        using TextLines lines = TextLines.Open(path);
        return Read(lines, numbered);
    }

    /// <inheritdoc cref="Read(string, bool)"/>
    public static List<ListedName> Read(TextLines lines, bool numbered)
    {
        var names = new List<ListedName>();
        var seen = new HashSet<string>(StringComparer.Ordinal);
        foreach (string line in lines.NonEmpty())
        {
            string name = numbered ? WithoutNumber(line) : line;
            if (!seen.Add(name)) throw lines.Error($"{AnnotationError.Quote(name)} is listed twice");
            names.Add(new ListedName(name, lines.Number));
        }

        return names.Count > 0 ? names : throw new FileNotFoundException($"The list '{lines.File}' names no image.", lines.File);
    }

    private static string WithoutNumber(string line)
    {
        int gap = line.LastIndexOf(' ');
        return gap > 0 && NumberText.TryParse(line.AsSpan(gap + 1), out int _) ? line[..gap].TrimEnd() : line;
    }
}
