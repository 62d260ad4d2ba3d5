using System.Globalization;
using System.Text;

namespace Microsoft.ML.Distillation.Data.Formats;

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
