namespace Microsoft.ML.Distillation.Formats;

/// <summary>Gives names to the codes of classes: ImageNet's synsets, OpenImages' machine ids.</summary>
internal sealed class ClassCodes
{
    private readonly Dictionary<string, string> _names = new(StringComparer.Ordinal);

    private ClassCodes(string path) => Path = path;

    /// <summary>The path of the file.</summary>
    public string Path { get; }

    /// <summary>
    /// Synsets and names: <c>n02084071 23 dog</c> (ILSVRC's map_det.txt, with a number) or <c>n02084071 dog, domestic dog</c>,
    /// of which the first name counts.
    /// </summary>
    /// <exception cref="FormatException">A line is none of these, or a synset is named twice; the message names file and line.</exception>
    public static ClassCodes ReadSynsets(string path)
    {
        using TextLines lines = TextLines.Open(path);
        return ReadSynsets(lines);
    }

    /// <inheritdoc cref="ReadSynsets(string)"/>
    public static ClassCodes ReadSynsets(TextLines lines)
    {
        var file = new ClassCodes(lines.File);
        foreach (string line in lines.NonEmpty())
        {
            string[] parts = line.Split((char[]?)null, 2, StringSplitOptions.RemoveEmptyEntries);
            if (parts.Length < 2 || !IsSynset(parts[0]))
                throw lines.Error($"a synset and a name are expected, not {AnnotationError.Quote(line)}");
            string[] numbered = parts[1].Split((char[]?)null, 2, StringSplitOptions.RemoveEmptyEntries);
            string names = numbered.Length == 2 && numbered[0].All(char.IsAsciiDigit) ? numbered[1] : parts[1];
            file.Add(lines, parts[0], names.Split(',')[0].Trim());
        }

        return file;
    }

    /// <summary>Machine ids and names, separated by a comma, with or without a header.</summary>
    /// <exception cref="FormatException">A line is none of these, or an id is named twice; the message names file and line.</exception>
    public static ClassCodes ReadMachineIds(string path)
    {
        using TextLines lines = TextLines.Open(path);
        return ReadMachineIds(lines);
    }

    /// <inheritdoc cref="ReadMachineIds(string)"/>
    public static ClassCodes ReadMachineIds(TextLines lines)
    {
        var file = new ClassCodes(lines.File);
        foreach (string line in lines.NonEmpty())
        {
            List<string> values = CsvLine.Split(lines, line);
            if (values.Count != 2) throw lines.Error($"an id and a name are expected, not {values.Count} values");
            if (lines.Number == 1 && values[0] == "LabelName") continue;
            file.Add(lines, values[0].Trim(), values[1].Trim());
        }

        return file;
    }

    /// <summary>Whether a label is a WordNet synset: n and eight digits.</summary>
    public static bool IsSynset(string label)
        => label.Length == 9 && label[0] == 'n' && label.AsSpan(1).IndexOfAnyExceptInRange('0', '9') < 0;

    /// <summary>Whether a label is a machine id: <c>/m/01g317</c>.</summary>
    public static bool IsMachineId(string label) => label.StartsWith('/');

    /// <summary>The name of a class, or null where the file has none.</summary>
    public string? NameOf(string code) => _names.GetValueOrDefault(code);

    private void Add(TextLines lines, string code, string name)
    {
        if (code.Length == 0 || name.Length == 0) throw lines.Error("the class has no name");
        if (!_names.TryAdd(code, name)) throw lines.Error($"the class {AnnotationError.Quote(code)} is named twice");
    }
}

/// <summary>Reads a list of classes, one in each line.</summary>
internal static class ClassNameFile
{
    /// <summary>The classes, in the file's order. Two may have one name, as placeholders do. Empty lines at the end do not count.</summary>
    /// <exception cref="FileNotFoundException">There is no such file.</exception>
    /// <exception cref="FormatException">A line is empty, or the file is; the message names file and line.</exception>
    public static IReadOnlyList<string> Read(string path)
    {
        if (!File.Exists(path)) throw new FileNotFoundException($"There is no file of class names '{path}'.", path);
        using TextLines lines = TextLines.Open(path);
        return [.. Read(lines).Select(entry => entry.Name)];
    }

    /// <summary>The classes with their lines.</summary>
    /// <inheritdoc cref="Read(string)"/>
    public static List<ListedName> Read(TextLines lines)
    {
        var names = new List<ListedName>();
        while (lines.Next() is { } line)
        {
            if (string.IsNullOrWhiteSpace(line)) continue;
            int expected = names.Count == 0 ? 1 : names[^1].Line + 1;
            if (lines.Number > expected) throw AnnotationError.At(lines.File, expected, "the name of a class is empty");
            names.Add(new ListedName(line.Trim(), lines.Number));
        }

        return names.Count > 0 ? names : throw AnnotationError.At(lines.File, 1, "the file names no class");
    }
}
