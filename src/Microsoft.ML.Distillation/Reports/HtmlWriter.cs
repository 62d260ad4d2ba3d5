using System.Globalization;
using System.Net;
using System.Text;

namespace Microsoft.ML.Distillation.Reports;

/// <summary>Writes HTML and inline SVG. Every text and attribute is escaped; what is opened is closed.</summary>
internal sealed class HtmlWriter
{
    private readonly StringBuilder _text = new();

    /// <summary>Opens an element, which ends where the result is disposed. Attributes without a value are left out.</summary>
    public IDisposable Tag(string name, params ReadOnlySpan<(string Name, string? Value)> attributes)
    {
        Open(name, attributes);
        return new Closing(this, name);
    }

    /// <summary>An element with a text, or without any content.</summary>
    public void Leaf(string name, string? text, params ReadOnlySpan<(string Name, string? Value)> attributes)
    {
        Open(name, attributes);
        if (name is "meta" or "link") return;
        if (text is not null) Text(text);
        _text.Append("</").Append(name).Append('>');
    }

    /// <summary>A text.</summary>
    public void Text(string text) => _text.Append(WebUtility.HtmlEncode(text));

    /// <summary>Something that is HTML already, written by this program.</summary>
    public void Raw(string html) => _text.Append(html);

    /// <summary>A number as SVG takes it.</summary>
    public static string N(double value) => Math.Round(value, 2).ToString("0.##", CultureInfo.InvariantCulture);

    /// <inheritdoc/>
    public override string ToString() => _text.ToString();

    private void Open(string name, ReadOnlySpan<(string Name, string? Value)> attributes)
    {
        _text.Append('<').Append(name);
        foreach ((string attribute, string? value) in attributes)
        {
            if (value is not null) _text.Append(' ').Append(attribute).Append("=\"").Append(WebUtility.HtmlEncode(value)).Append('"');
        }

        _text.Append('>');
    }

    private sealed class Closing(HtmlWriter html, string name) : IDisposable
    {
        public void Dispose() => html._text.Append("</").Append(name).Append(">\n");
    }
}
