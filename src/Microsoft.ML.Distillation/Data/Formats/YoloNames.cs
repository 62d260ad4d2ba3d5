namespace Microsoft.ML.Distillation.Data.Formats;

/// <summary>The names of a YOLO data set's classes by their numbers, which may have gaps.</summary>
internal sealed class YoloNames
{
    private readonly SortedDictionary<int, string> _names = [];
    private readonly HashSet<string> _seen = new(StringComparer.Ordinal);

    /// <param name="file">The file that they stand in, for messages.</param>
    public YoloNames(string file) => File = file;

    /// <summary>The file that they stand in.</summary>
    public string File { get; }

    /// <summary>How many there are.</summary>
    public int Count => _names.Count;

    /// <summary>The number of a class that would come next.</summary>
    public int Next => _names.Count == 0 ? 0 : _names.Last().Key + 1;

    /// <summary>Numbers and names, in the order of the numbers.</summary>
    public IEnumerable<KeyValuePair<int, string>> All => _names;

    /// <summary>The name of a class, or null where it has none.</summary>
    public string? this[int index] => _names.GetValueOrDefault(index);

    /// <summary>Reads a file of names, one a line.</summary>
    /// <exception cref="FormatException">A name is empty or stands in it twice; the message names file and line.</exception>
    public static YoloNames ReadList(TextLines lines)
    {
        var names = new YoloNames(lines.File);
        bool ended = false;
        while (lines.Next() is { } line)
        {
            bool isEmpty = string.IsNullOrWhiteSpace(line);
            if (ended && !isEmpty) throw AnnotationError.At(lines.File, lines.Number - 1, "the name of a class is empty");
            ended |= isEmpty;
            if (!isEmpty) names.Add(names.Next, line.Trim(), lines.Number);
        }

        return names.Count > 0 ? names : throw AnnotationError.At(lines.File, 1, "the file names no class");
    }

    /// <summary>Adds a class.</summary>
    /// <param name="line">Where it stands, for messages.</param>
    /// <exception cref="FormatException">The name is empty, or number or name is there already.</exception>
    public void Add(int index, string name, int line)
    {
        if (name.Length == 0) throw AnnotationError.At(File, line, "the name of a class is empty");
        if (!_names.TryAdd(index, name)) throw AnnotationError.At(File, line, $"class {index} is named twice");
        if (!_seen.Add(name)) throw AnnotationError.At(File, line, $"two classes have the name {AnnotationError.Quote(name)}");
    }

    /// <summary>The number of a class, which is added where it is not there.</summary>
    public int IndexOf(string name)
    {
        foreach ((int index, string known) in _names)
        {
            if (known == name) return index;
        }

        Add(Next, name, 1);
        return Next - 1;
    }
}
