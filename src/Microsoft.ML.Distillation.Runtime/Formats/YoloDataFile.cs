using System.Globalization;
using System.Text;

namespace Microsoft.ML.Distillation.Formats;

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

/// <summary>
/// A top-level member of a simple YAML file: its value on its own line, and the lines that follow it. Understands what data.yaml
/// files hold: a scalar, a list, or a map of scalars, in block or in flow style; nothing is nested.
/// </summary>
internal sealed class YamlEntry(string file, int line, string value)
{
    private readonly List<(int Line, string Text)> _block = [];

    /// <summary>The line in which it begins.</summary>
    public int Line => line;

    /// <summary>Adds a line that follows.</summary>
    public void Append(int number, string text) => _block.Add((number, text));

    /// <summary>The value as one text.</summary>
    /// <exception cref="FormatException">It is none.</exception>
    public string Scalar() => ScalarOrNull() ?? throw Error(line, "a single value is expected");

    /// <summary>The value as one text, or null where it is none.</summary>
    public string? ScalarOrNull() => _block.Count == 0 && value.Length > 0 && value[0] is not ('[' or '{' or '|' or '>') ? Plain(value, line) : null;

    /// <summary>The items of a list, or the one of a scalar, each with its line.</summary>
    public IEnumerable<(string Text, int Line)> Items()
    {
        if (value.StartsWith('[')) return Flow(']').Select(item => (Plain(item, line), line));
        return value.Length > 0 ? [(Scalar(), line)] : _block.Select(row => (Plain(Item(row.Text, row.Line), row.Line), row.Line));
    }

    /// <summary>Keys and values of a map; the items of a list with their positions for keys.</summary>
    public IEnumerable<(string Key, string Text, int Line)> Pairs()
    {
        if (value.StartsWith('{')) return Flow('}').Select(pair => Pair(pair, line));
        bool isMap = value.Length == 0 && _block.Count > 0 && !_block[0].Text.StartsWith('-');
        return isMap
            ? _block.Select(row => Pair(row.Text, row.Line))
            : Items().Select((item, index) => (index.ToString(CultureInfo.InvariantCulture), item.Text, item.Line));
    }

    /// <summary>An error in this entry.</summary>
    public FormatException Error(int at, string problem) => AnnotationError.At(file, at, problem);

    private string Item(string text, int at)
        => text == "-" || text.StartsWith("- ", StringComparison.Ordinal) ? text[1..].Trim() : throw Error(at, "an item of a list ('- …') is expected");

    private (string, string, int) Pair(string text, int at)
    {
        int colon = text.IndexOf(':', StringComparison.Ordinal);
        if (colon < 0) throw Error(at, "a member of a map ('key: value') is expected");
        return (Plain(text[..colon].Trim(), at), Plain(text[(colon + 1)..].Trim(), at), at);
    }

    /// <summary>The parts of a list or map in brackets, which may go over several lines.</summary>
    private List<string> Flow(char close)
    {
        string text = string.Join(' ', [value, .. _block.Select(row => row.Text)])[1..];
        var parts = new List<string>();
        var part = new StringBuilder();
        char quote = '\0';
        for (int i = 0; i < text.Length; i++)
        {
            char c = text[i];
            if (quote == '\0' && (c == ',' || c == close))
            {
                string done = part.ToString().Trim();
                part.Clear();
                // A comma may stand after the last.
                if (done.Length > 0 || c == ',') parts.Add(done);
                if (c != close) continue;
                return text[(i + 1)..].Trim().Length == 0 ? parts : throw Error(line, $"text follows the closing '{close}'");
            }

            if (quote == '\0' && c is '"' or '\'' && part.ToString().Trim() is "" or [.., ':']) quote = c;
            else if (c == quote) quote = '\0';
            else if (c == '\\' && quote == '"' && i + 1 < text.Length) part.Append(text[i++]);
            part.Append(text[i]);
        }

        throw Error(line, $"the closing '{close}' is missing");
    }

    private string Plain(string text, int at)
    {
        if (text.Length == 0 || text[0] is not ('"' or '\'')) return text;
        if (text.Length < 2 || text[^1] != text[0]) throw Error(at, "a quote is not closed");
        string inner = text[1..^1];
        return text[0] == '\'' ? inner.Replace("''", "'", StringComparison.Ordinal) : Unescaped(inner, at);
    }

    private string Unescaped(string text, int at)
    {
        var plain = new StringBuilder();
        for (int i = 0; i < text.Length; i++)
        {
            if (text[i] != '\\')
            {
                plain.Append(text[i]);
                continue;
            }

            char escape = ++i < text.Length ? text[i] : '\0';
            if (escape is '"' or '\\' or '/')
            {
                plain.Append(escape);
                continue;
            }

            int digits = escape switch { 'x' => 2, 'u' => 4, _ => 0 };
            if (digits == 0 || i + digits >= text.Length) throw Error(at, "an escape is not understood");
            plain.Append(Character(text.AsSpan(i + 1, digits), at));
            i += digits;
        }

        return plain.ToString();
    }

    private char Character(ReadOnlySpan<char> digits, int at)
        => ushort.TryParse(digits, NumberStyles.AllowHexSpecifier, CultureInfo.InvariantCulture, out ushort code) && code > 0
            ? (char)code
            : throw Error(at, "an escape is not understood");
}
