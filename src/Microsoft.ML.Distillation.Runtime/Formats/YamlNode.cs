using System.Text;
using YamlDotNet.Core;
using YamlDotNet.Core.Events;

namespace Microsoft.ML.Distillation.Formats;

/// <summary>A value of a YAML file: a text, a list or a map, one of the three.</summary>
/// <param name="Line">The line in which it begins.</param>
internal sealed record YamlNode(int Line)
{
    /// <summary>Of a member's value: the line in which its key stands.</summary>
    public int KeyLine { get; init; }

    /// <summary>The text, where it is one.</summary>
    public string? Text { get; init; }

    /// <summary>Whether it is YAML's way to say that there is nothing: an empty value, <c>~</c> or <c>null</c>.</summary>
    public bool IsNothing { get; init; }

    /// <summary>The items, where it is a list.</summary>
    public IReadOnlyList<YamlNode>? Items { get; init; }

    /// <summary>The members in the order of the file, where it is a map. A key may stand in it twice.</summary>
    public IReadOnlyList<(string Key, YamlNode Value)>? Members { get; init; }

    /// <summary>Whether there is neither a list nor a map in it.</summary>
    public bool IsFlat => Items?.All(item => item.Text is not null) ?? Members?.All(member => member.Value.Text is not null) ?? true;
}

/// <summary>
/// Reads a YAML file into nodes. Nothing in a file can make the result larger than the file: an alias stands for a text, or at
/// the top for a list or map of texts, and what is nested deeper than anybody writes is an error.
/// </summary>
internal sealed class YamlReader
{
    private const int MostLevels = 32;
    private const int MostCharacters = 1 << 24;

    private readonly TextLines _lines;
    private readonly Parser _parser;
    private readonly Dictionary<AnchorName, YamlNode> _anchors = [];
    private readonly Stack<long> _open = [];

    private YamlReader(TextLines lines)
    {
        _lines = lines;
        _parser = new Parser(new StringReader(Text(lines)));
    }

    /// <summary>The one document of a file; of an empty file a map without members.</summary>
    /// <exception cref="FormatException">It is no YAML, or holds more than is read of it; the message names file and line.</exception>
    public static YamlNode Read(TextLines lines)
    {
        var reader = new YamlReader(lines);
        try
        {
            return reader.ReadDocument();
        }
        catch (Exception exception) when (exception is YamlException or ArgumentException or InvalidOperationException)
        {
            // Not all that is wrong in a file is an exception of the parser's own.
            long line = exception is YamlException yaml ? yaml.Start.Line : reader._parser.Current?.Start.Line ?? 1;
            string within = reader._open.TryPeek(out long begin) && begin < line ? $" (in what begins in line {begin})" : "";
            string what = exception is YamlException ? exception.Message.TrimEnd('.') : "a list, a map or a text is not closed";
            string problem = $"this is no well-formed YAML: {what}{within}";
            throw AnnotationError.At(lines.File, Math.Max(1, line), problem, exception);
        }
    }

    private static string Text(TextLines lines)
    {
        var text = new StringBuilder();
        while (lines.Next() is { } line)
        {
            if (text.Length + line.Length > MostCharacters) throw lines.Error($"the file is longer than {MostCharacters} characters");
            text.Append(line).Append('\n');
        }

        return text.ToString();
    }

    private YamlNode ReadDocument()
    {
        _parser.Consume<StreamStart>();
        if (_parser.TryConsume<StreamEnd>(out _)) return new YamlNode(1) { Members = [] };
        _parser.Consume<DocumentStart>();
        YamlNode root = ReadNode(level: 0);
        _parser.Consume<DocumentEnd>();
        if (_parser.Accept<DocumentStart>(out _)) throw Error(_parser.Current!.Start, "a second document begins, only one is read");
        return root;
    }

    private YamlNode ReadNode(int level)
    {
        if (_parser.Accept<AnchorAlias>(out _)) return Resolve(_parser.Consume<AnchorAlias>(), level);
        var start = _parser.Consume<NodeEvent>();
        if (level > MostLevels) throw Error(start.Start, $"lists and maps are nested deeper than {MostLevels} levels");
        var node = new YamlNode((int)start.Start.Line);
        _open.Push(node.Line);
        node = start switch
        {
            Scalar scalar => node with { Text = scalar.Value, IsNothing = IsNothing(scalar) },
            SequenceStart => node with { Items = ReadItems(level) },
            _ => node with { Members = ReadMembers(level) },
        };
        _open.Pop();
        if (!start.Anchor.IsEmpty) _anchors[start.Anchor] = node;
        return node;
    }

    private static bool IsNothing(Scalar scalar)
        => scalar.Style is ScalarStyle.Plain or ScalarStyle.Any && scalar.Value is "" or "~" or "null" or "Null" or "NULL";

    private List<YamlNode> ReadItems(int level)
    {
        var items = new List<YamlNode>();
        while (!_parser.TryConsume<SequenceEnd>(out _)) items.Add(ReadNode(level + 1));
        return items;
    }

    private List<(string Key, YamlNode Value)> ReadMembers(int level)
    {
        var members = new List<(string Key, YamlNode Value)>();
        while (!_parser.TryConsume<MappingEnd>(out _))
        {
            Mark at = _parser.Current!.Start;
            string key = ReadNode(level + 1).Text ?? throw Error(at, "the key of a member is a list or a map; a text is expected");
            if (key == "<<") throw Error(at, "maps are not merged ('<<'); write the members out");
            members.Add((key, ReadNode(level + 1) with { KeyLine = (int)at.Line }));
        }

        return members;
    }

    private YamlNode Resolve(AnchorAlias alias, int level)
    {
        string text = $"the alias '*{alias.Value}' stands for";
        if (!_anchors.TryGetValue(alias.Value, out YamlNode? node)) throw Error(alias.Start, $"{text} nothing that ends before it");
        bool isBounded = node.Text is not null || level == 1 && node.IsFlat;
        return isBounded ? node : throw Error(alias.Start, $"{text} a list or map inside of another, which is not read");
    }

    private FormatException Error(Mark at, string problem) => AnnotationError.At(_lines.File, at.Line, problem);
}
