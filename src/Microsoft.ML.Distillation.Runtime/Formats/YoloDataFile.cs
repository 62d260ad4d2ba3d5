namespace Microsoft.ML.Distillation.Formats;

/// <summary>
/// A YOLO data set's <c>data.yaml</c>: the folder <c>path</c>, the <c>names</c> of the classes, and the images of splits.
/// </summary>
internal sealed class YoloDataFile
{
    private readonly Dictionary<string, YamlNode> _entries = new(StringComparer.Ordinal);

    private YoloDataFile(string file) => File = file;

    /// <summary>The path of the file.</summary>
    public string File { get; }

    /// <summary>The splits with the folders or lists of their images, in the order of the file.</summary>
    public IEnumerable<(string Name, IReadOnlyList<string> Paths)> Splits
        => from entry in _entries
           let paths = Texts(entry.Value)
           let isSplit = entry.Key is "train" or "val" or "test" || paths.All(path => path.StartsWith("images/", StringComparison.Ordinal))
           where paths.Length > 0 && isSplit
           select (entry.Key, (IReadOnlyList<string>)paths);

    /// <summary>The <c>path</c> as the file has it, or null where it has none.</summary>
    /// <exception cref="FormatException">It is a list or a map.</exception>
    public string? PathText => _entries.GetValueOrDefault("path") is { IsNothing: false } entry
        ? entry.Text ?? throw Error(entry, "'path' is a list or a map; one folder is expected")
        : null;

    /// <summary>Parses a file.</summary>
    /// <exception cref="FormatException">It is none; the message names file and line.</exception>
    public static YoloDataFile Read(TextLines lines)
    {
        YamlNode root = YamlReader.Read(lines);
        var file = new YoloDataFile(lines.File);
        foreach ((string key, YamlNode value) in root.Members ?? throw file.Error(root, "members 'key: value' are expected"))
        {
            if (!file._entries.TryAdd(key, value)) throw file.Error(value, $"the member {AnnotationError.Quote(key)} is there twice");
        }

        return file;
    }

    /// <summary>The class names.</summary>
    /// <exception cref="FormatException">There are none, or they are not as they must be; the message names file and line.</exception>
    public YoloNames ReadNames()
    {
        YamlNode entry = _entries.GetValueOrDefault("names") ?? throw AnnotationError.At(File, 1, "the file has no 'names' of classes");
        var names = new YoloNames(File);
        foreach ((string key, YamlNode name) in entry.Members ?? [])
        {
            bool isNumber = NumberText.TryParse(key, out int index) && index >= 0;
            if (!isNumber) throw Error(name, $"{AnnotationError.Quote(key)} is no number of a class");
            names.Add(index, NameOf(name), name.Line);
        }

        IReadOnlyList<YamlNode> list = entry.Items ?? (entry is { Text: not null, IsNothing: false } ? [entry] : []);
        foreach (YamlNode name in list) names.Add(names.Next, NameOf(name), name.Line);
        if (names.Count == 0) throw Error(entry, "'names' holds no class");
        bool isCounted = _entries.GetValueOrDefault("nc") is { IsNothing: false };
        if (isCounted && _entries["nc"] is var count && !(NumberText.TryParse(count.Text, out int wanted) && wanted == names.Count))
            throw Error(count, $"'nc' is {AnnotationError.Quote(count.Text ?? "a list or a map")}, but there are {names.Count} names");
        names.KeyPointNumbers = KeyPointNumbers();
        return names;
    }

    /// <summary>How many numbers the key points of an object are, by 'kpt_shape'; 0 where there are none.</summary>
    private int KeyPointNumbers()
    {
        if (_entries.GetValueOrDefault("kpt_shape") is not { IsNothing: false } entry) return 0;
        return entry.Items is [var points, var numbers] && NumberText.TryParse(points.Text, out int count) && count is > 0 and < 10_000
            && NumberText.TryParse(numbers.Text, out int each) && each is 2 or 3
            ? count * each
            : throw Error(entry, "'kpt_shape' is no list of the number of key points and of 2 or 3 numbers for each");
    }

    /// <summary>The folder that the splits' paths begin at.</summary>
    public string Root()
    {
        string folder = Path.GetDirectoryName(Path.GetFullPath(File))!;
        string root = Path.Combine(folder, PathText?.Replace('\\', '/') ?? "");
        // Often a path of the machine on which the file was made.
        return Directory.Exists(root) ? root : folder;
    }

    /// <summary>The folders or lists of a split, each with its line; empty where the file has no such split.</summary>
    /// <exception cref="FormatException">The split is neither a path nor a list of paths.</exception>
    public IReadOnlyList<(string Path, int Line)> Split(string name)
    {
        if (name is "names" or "nc" or "path" || _entries.GetValueOrDefault(name) is not { IsNothing: false } entry) return [];
        IReadOnlyList<YamlNode> paths = entry.Items ?? [entry];
        return [.. paths.Select(path => (path.Text ?? throw Error(path, $"'{name}' is neither a path nor a list of paths"), path.Line))];
    }

    private static string[] Texts(YamlNode node)
        => node.IsNothing ? [] : [.. (node.Items ?? [node]).Select(item => item.Text).OfType<string>()];

    private string NameOf(YamlNode node) => node.Text ?? throw Error(node, "the name of a class is a list or a map; a text is expected");

    private FormatException Error(YamlNode at, string problem) => AnnotationError.At(File, at.Line, problem);
}

/// <summary>The names of a YOLO data set's classes by their numbers, which may have gaps.</summary>
internal sealed class YoloNames
{
    private readonly SortedDictionary<int, string> _names = [];
    private readonly HashSet<string> _seen = new(StringComparer.Ordinal);
    private readonly List<string> _repeated = [];

    /// <param name="file">The file that they stand in, for messages.</param>
    public YoloNames(string file) => File = file;

    /// <summary>The file that they stand in.</summary>
    public string File { get; }

    /// <summary>How many there are.</summary>
    public int Count => _names.Count;

    /// <summary>How many numbers of key points follow each box; 0 for none.</summary>
    public int KeyPointNumbers { get; set; }

    /// <summary>What is to be said where several classes have one name, and so are one; else null.</summary>
    public string? Repeated => _repeated.Count == 0 ? null : RepeatedNames.Warning(File, _repeated);

    /// <summary>The number of a class that would come next.</summary>
    public int Next => _names.Count == 0 ? 0 : _names.Last().Key + 1;

    /// <summary>Numbers and names, in the order of the numbers.</summary>
    public IEnumerable<KeyValuePair<int, string>> All => _names;

    /// <summary>The name of a class, or null where it has none.</summary>
    public string? this[int index] => _names.GetValueOrDefault(index);

    /// <summary>Reads a file of names, one a line.</summary>
    /// <exception cref="FormatException">A name is empty; the message names file and line.</exception>
    public static YoloNames ReadList(TextLines lines)
    {
        var names = new YoloNames(lines.File);
        foreach (ListedName entry in ClassNameFile.Read(lines)) names.Add(names.Next, entry.Name, entry.Line);
        return names;
    }

    /// <summary>Adds a class.</summary>
    /// <param name="line">Where it stands, for messages.</param>
    /// <exception cref="FormatException">The name is empty, or the number is there already.</exception>
    public void Add(int index, string name, int line)
    {
        if (name.Length == 0) throw AnnotationError.At(File, line, "the name of a class is empty");
        if (!_names.TryAdd(index, name)) throw AnnotationError.At(File, line, $"class {index} is named twice");
        if (!_seen.Add(name)) _repeated.Add(name);
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
