namespace Microsoft.ML.Distillation.Data.Formats;

/// <summary>A YOLO data set's <c>data.yaml</c>: the folder <c>path</c>, the <c>names</c> of the classes, and the images of splits.</summary>
internal sealed class YoloDataFile
{
    private readonly Dictionary<string, YamlEntry> _entries = new(StringComparer.Ordinal);

    private YoloDataFile(string file) => File = file;

    /// <summary>The path of the file.</summary>
    public string File { get; }

    /// <summary>The splits whose images are in one folder or list, in the order of the file.</summary>
    public IEnumerable<(string Name, string Path)> Splits
        => from entry in _entries
           let path = entry.Value.ScalarOrNull()
           where path is not null && (entry.Key is "train" or "val" or "test" || path.StartsWith("images/", StringComparison.Ordinal))
           select (entry.Key, path);

    /// <summary>Parses a file.</summary>
    /// <exception cref="FormatException">It is none; the message names file and line.</exception>
    public static YoloDataFile Read(TextLines lines)
    {
        var file = new YoloDataFile(lines.File);
        YamlEntry? open = null;
        while (lines.Next() is { } line)
        {
            string text = WithoutComment(line).TrimEnd();
            if (text.Length == 0 || text is "---" or "...") continue;
            int colon = text.IndexOf(':', StringComparison.Ordinal);
            bool begins = !char.IsWhiteSpace(text[0]) && text[0] is not ('-' or ']' or '}') && colon > 0 && (colon == text.Length - 1 || text[colon + 1] == ' ');
            if (begins)
            {
                open = new YamlEntry(lines.File, lines.Number, text[(colon + 1)..].Trim());
                string key = text[..colon].Trim().Trim('"', '\'');
                if (!file._entries.TryAdd(key, open)) throw lines.Error($"the member {AnnotationError.Quote(key)} is there twice");
            }
            else
            {
                (open ?? throw lines.Error("a line 'key: value' is expected")).Append(lines.Number, text.Trim());
            }
        }

        return file;
    }

    /// <summary>The class names.</summary>
    /// <exception cref="FormatException">There are none, or they are not as they must be; the message names file and line.</exception>
    public YoloNames ReadNames()
    {
        YamlEntry entry = _entries.GetValueOrDefault("names") ?? throw AnnotationError.At(File, 1, "the file has no 'names' of classes");
        var names = new YoloNames(File);
        foreach ((string key, string name, int line) in entry.Pairs())
        {
            if (!NumberText.TryParse(key, out int index) || index < 0) throw entry.Error(line, $"{AnnotationError.Quote(key)} is no number of a class");
            names.Add(index, name, line);
        }

        if (names.Count == 0) throw entry.Error(entry.Line, "'names' holds no class");
        if (_entries.GetValueOrDefault("nc") is { } count && (!NumberText.TryParse(count.Scalar(), out int wanted) || wanted != names.Count))
            throw count.Error(count.Line, $"'nc' is {AnnotationError.Quote(count.Scalar())}, but there are {names.Count} names");
        return names;
    }

    /// <summary>The folder that the splits' paths begin at.</summary>
    public string Root()
    {
        string folder = Path.GetDirectoryName(Path.GetFullPath(File))!;
        if (_entries.GetValueOrDefault("path") is not { } entry) return folder;
        string root = Path.Combine(folder, entry.Scalar());
        // Often a path of the machine on which the file was made.
        return Directory.Exists(root) ? root : folder;
    }

    /// <summary>The folders or lists of a split, each with its line; empty where the file has no such split.</summary>
    public IEnumerable<(string Path, int Line)> Split(string name)
        => _entries.TryGetValue(name, out YamlEntry? entry) && name is not ("names" or "nc" or "path") ? entry.Items() : [];

    private static string WithoutComment(string line)
    {
        char quote = '\0';
        for (int i = 0; i < line.Length; i++)
        {
            bool begins = i == 0 || char.IsWhiteSpace(line[i - 1]) || line[i - 1] is '[' or ',' or '{' or ':';
            if (quote == '\0' && line[i] is '"' or '\'' && begins) quote = line[i];
            else if (line[i] == quote && (i == 0 || line[i - 1] != '\\')) quote = '\0';
            else if (line[i] == '#' && quote == '\0' && (i == 0 || char.IsWhiteSpace(line[i - 1]))) return line[..i];
        }

        return line;
    }
}
