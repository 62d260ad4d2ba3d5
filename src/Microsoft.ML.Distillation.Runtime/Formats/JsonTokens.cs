using System.Text.Json;

namespace Microsoft.ML.Distillation.Formats;

/// <summary>
/// Reads json from a stream token by token, holding a window of it in memory. The window grows for a token that does not fit, up
/// to a limit; lines are counted for messages.
/// </summary>
internal ref struct JsonTokens
{
    /// <summary>The longest single value, in bytes; the text of a COCO mask in run lengths can be long.</summary>
    public const int MaxToken = 4 << 20;

    private const int Window = 1 << 16;

    private readonly Stream _stream;
    private byte[] _window;
    private int _length;
    private bool _isLast;
    private int _line = 1;
    private int _countedTo;
    private Utf8JsonReader _reader;

    /// <param name="file">The name of the file, for messages.</param>
    public JsonTokens(Stream stream, string file)
    {
        _stream = stream;
        File = file;
        // A short file needs no more than itself, and a byte to see its end.
        _window = new byte[stream.CanSeek ? Math.Clamp(stream.Length + 1, 16, Window) : Window];
        _length = stream.ReadAtLeast(_window, 4, throwOnEndOfStream: false);
        ReadOnlySpan<byte> start = _window.AsSpan(0, _length);
        int mark = start.StartsWith<byte>([0xEF, 0xBB, 0xBF]) ? 3 : 0;
        if (start.StartsWith<byte>([0xFE, 0xFF]) || start.StartsWith<byte>([0xFF, 0xFE]) || start[..Math.Min(4, _length)].Contains<byte>(0))
            throw AnnotationError.At(file, 1, "json is UTF-8 text, this file has another encoding");
        if (mark > 0)
        {
            start[mark..].CopyTo(_window);
            _length -= mark;
        }

        _reader = new Utf8JsonReader(_window.AsSpan(0, _length), isFinalBlock: false, default);
    }

    /// <summary>The name of the file.</summary>
    public string File { get; }

    /// <summary>The kind of the token read last.</summary>
    public readonly JsonTokenType Type => _reader.TokenType;

    /// <summary>The line in which it begins, from 1.</summary>
    public int Line
    {
        get
        {
            CountLines((int)_reader.TokenStartIndex);
            return _line;
        }
    }

    /// <summary>How many lists and objects are open around the token.</summary>
    public readonly int Depth => _reader.CurrentDepth;

    /// <summary>Goes to the end of a value that began at a depth, wherever in it the reading stopped.</summary>
    public void Leave(int depth)
    {
        if (Depth == depth && Type is JsonTokenType.StartObject or JsonTokenType.StartArray or JsonTokenType.PropertyName) Skip();
        while (Depth > depth && Read())
        {
        }
    }

    /// <summary>The next token; false after the last.</summary>
    /// <exception cref="JsonException">It is no well-formed json.</exception>
    /// <exception cref="FormatException">A value is longer than the limit.</exception>
    public bool Read()
    {
        while (!_reader.Read())
        {
            if (_isLast) return false;
            Refill();
        }

        return true;
    }

    /// <summary>Whether an object goes on: the token is the name of its next member, and not its end.</summary>
    public bool NextMember() => Read() && Type == JsonTokenType.PropertyName;

    /// <summary>Whether the member has this name; its value is then the token.</summary>
    /// <exception cref="FormatException">The member's name has an escape of no character.</exception>
    public bool Enter(ReadOnlySpan<byte> name)
    {
        try
        {
            return _reader.ValueTextEquals(name) && Read();
        }
        catch (InvalidOperationException exception)
        {
            throw AnnotationError.At(File, Line, "the name of a member is no text", exception);
        }
    }

    /// <summary>Passes over a value, with all that is in it; of a member, over the member.</summary>
    public void Skip()
    {
        if (Type == JsonTokenType.PropertyName) Read();
        if (Type is not (JsonTokenType.StartObject or JsonTokenType.StartArray)) return;
        int depth = _reader.CurrentDepth;
        while (Read() && _reader.CurrentDepth > depth)
        {
        }
    }

    /// <summary>The finite number that the token is, or null.</summary>
    public readonly double? Number()
        => Type == JsonTokenType.Number && _reader.TryGetDouble(out double number) && double.IsFinite(number) ? number : null;

    /// <summary>The whole number that the token is, or null.</summary>
    public readonly long? Whole()
    {
        if (Type != JsonTokenType.Number) return null;
        if (_reader.TryGetInt64(out long whole)) return whole;
        // Some tools write 17.0; beyond 2^53 such numbers are not exact.
        return _reader.TryGetDouble(out double number) && Math.Abs(number) < 1L << 53 && number == Math.Truncate(number)
            ? (long)number
            : null;
    }

    /// <summary>The text that the token is, or null.</summary>
    /// <exception cref="FormatException">It is no UTF-8.</exception>
    public string? Text()
    {
        if (Type != JsonTokenType.String) return null;
        try
        {
            return _reader.GetString();
        }
        catch (InvalidOperationException exception)
        {
            throw AnnotationError.At(File, Line, "a text is no UTF-8", exception);
        }
    }

    private void Refill()
    {
        int consumed = (int)_reader.BytesConsumed;
        CountLines(consumed);
        int rest = _length - consumed;
        if (rest == _window.Length)
        {
            if (rest >= MaxToken) throw AnnotationError.At(File, _line, $"a single value is longer than {MaxToken} bytes");
            Array.Resize(ref _window, 2 * rest);
        }

        _window.AsSpan(consumed, rest).CopyTo(_window);
        _countedTo = 0;
        int count = _stream.Read(_window, rest, _window.Length - rest);
        _length = rest + count;
        _isLast = count == 0;
        _reader = new Utf8JsonReader(_window.AsSpan(0, _length), _isLast, _reader.CurrentState);
    }

    private void CountLines(int to)
    {
        if (to <= _countedTo) return;
        _line += _window.AsSpan(_countedTo, to - _countedTo).Count((byte)'\n');
        _countedTo = to;
    }
}
