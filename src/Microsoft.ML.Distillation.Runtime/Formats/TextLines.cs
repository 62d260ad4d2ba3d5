using System.Globalization;
using System.Text;
using Microsoft.ML.Distillation.Files;

namespace Microsoft.ML.Distillation.Formats;

/// <summary>
/// Reads a text file line by line, UTF-8 or what its byte order mark says. Holds a line in memory, never the file; a line that is
/// longer than any annotation, or text of another encoding, is an error.
/// </summary>
internal sealed class TextLines : IDisposable
{
    /// <summary>The longest line, in characters.</summary>
    public const int MaxLength = 1 << 20;

    private readonly StreamReader _reader;
    private readonly char[] _buffer = new char[2048];
    private readonly StringBuilder _line = new();
    private int _at;
    private int _count;
    private bool _skipLineFeed;

    /// <param name="file">The name of the file, for messages.</param>
    public TextLines(Stream stream, string file)
    {
        _reader = new StreamReader(stream, Encoding.UTF8, detectEncodingFromByteOrderMarks: true);
        File = file;
    }

    /// <summary>The name of the file.</summary>
    public string File { get; }

    /// <summary>The number of the line read last, from 1.</summary>
    public int Number { get; private set; }

    /// <summary>Opens a file.</summary>
    /// <exception cref="FileNotFoundException">It does not exist.</exception>
    /// <exception cref="FormatException">The path leads to what is no file; the message names it.</exception>
    public static TextLines Open(string path) => new(AnnotationFile.Open(path), path);

    /// <summary>The next line without its end, or null after the last.</summary>
    /// <exception cref="FormatException">The line is too long, or no text of a known encoding.</exception>
    public string? Next()
    {
        _line.Clear();
        Number++;
        while (_at < _count || Fill())
        {
            ReadOnlySpan<char> rest = _buffer.AsSpan(_at, _count - _at);
            if (_skipLineFeed && rest[0] == '\n') rest = rest[1..];
            _skipLineFeed = false;
            _at = _count - rest.Length;
            int end = rest.IndexOfAny('\n', '\r');
            if (end >= 0)
            {
                _skipLineFeed = rest[end] == '\r';
                _at += end + 1;
                return Checked(rest[..end]);
            }

            _at = _count;
            Append(rest);
        }

        return _line.Length > 0 ? Checked("") : null;
    }

    /// <summary>The lines that hold more than white space, trimmed.</summary>
    public IEnumerable<string> NonEmpty()
    {
        while (Next() is { } line)
        {
            if (!string.IsNullOrWhiteSpace(line)) yield return line.Trim();
        }
    }

    /// <summary>The objects of a file with one in each line, in columns between white space.</summary>
    /// <param name="notes">Takes what is wrong with a line, which is then left out.</param>
    /// <param name="faults">Receives the same.</param>
    /// <exception cref="FormatException">A line is not as it must be.</exception>
    public List<AnnotatedObject> Objects(Func<string[], AnnotatedObject> read, AnnotationNotes? notes, List<string>? faults)
    {
        var objects = new List<AnnotatedObject>();
        foreach (string line in NonEmpty())
        {
            try
            {
                objects.Add(read(line.Split((char[]?)null, StringSplitOptions.RemoveEmptyEntries)));
            }
            catch (FormatException fault) when (notes?.Takes(fault, File) == true)
            {
                faults?.Add(fault.Message);
            }
        }

        return objects;
    }

    /// <summary>An error in the line read last.</summary>
    public FormatException Error(string problem) => AnnotationError.At(File, Number, problem);

    /// <inheritdoc/>
    public void Dispose() => _reader.Dispose();

    private bool Fill()
    {
        _at = 0;
        _count = _reader.Read(_buffer);
        return _count > 0;
    }

    private void Append(ReadOnlySpan<char> text)
    {
        if (_line.Length + text.Length > MaxLength) throw Error($"the line is longer than {MaxLength} characters");
        _line.Append(text);
    }

    private string Checked(ReadOnlySpan<char> end)
    {
        Append(end);
        string line = _line.ToString();
        // Bytes that are no UTF-8 are decoded to the replacement character; zeros are what UTF-16 without a mark looks like.
        if (line.AsSpan().ContainsAny('\uFFFD', '\0')) throw Error("the line is no UTF-8 text; save the file as UTF-8");
        return line;
    }
}

/// <summary>Numbers in text.</summary>
internal static class NumberText
{
    /// <summary>A finite number.</summary>
    public static bool TryParse(ReadOnlySpan<char> text, out double number)
        => double.TryParse(text, NumberStyles.Float, CultureInfo.InvariantCulture, out number) && double.IsFinite(number);

    /// <summary>A whole number; "3.0" is one.</summary>
    public static bool TryParse(ReadOnlySpan<char> text, out int number)
    {
        bool isWhole = TryParse(text, out double value) && value == Math.Truncate(value) && Math.Abs(value) <= int.MaxValue;
        number = isWhole ? (int)value : 0;
        return isWhole;
    }

    /// <summary>The shortest text that reads back as the same number.</summary>
    public static string Format(float number) => number.ToString("R", CultureInfo.InvariantCulture);
}

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

    /// <summary>The files that a list names, in a folder and with an ending.</summary>
    /// <param name="notes">Takes what is missing, which is then left out.</param>
    /// <exception cref="FileNotFoundException">A file does not exist; the message names the list and its line.</exception>
    public static List<string> Files(string path, string folder, string ending, AnnotationNotes? notes)
    {
        var index = new FolderIndex(folder);
        var files = new List<string>();
        foreach (ListedName entry in Read(path))
        {
            string name = entry.Name + ending;
            if (index.Find(name) is { } file)
            {
                files.Add(file);
                continue;
            }

            string expected = Path.Combine(folder, name);
            var missing = new FileNotFoundException($"{path}({entry.Line}): the annotation '{expected}' does not exist.", expected);
            if (notes?.Takes(missing, path) != true) throw missing;
        }

        return files;
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
