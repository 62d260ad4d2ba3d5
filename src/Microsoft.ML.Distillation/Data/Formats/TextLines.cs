using System.Text;

namespace Microsoft.ML.Distillation.Data.Formats;

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
    public static TextLines Open(string path) => new(System.IO.File.OpenRead(path), path);

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
