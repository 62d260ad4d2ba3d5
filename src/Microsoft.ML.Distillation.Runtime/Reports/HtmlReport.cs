using System.Globalization;
using System.Net;
using System.Reflection;
using System.Text;
using Microsoft.ML.Distillation.Reports.Sections;

namespace Microsoft.ML.Distillation.Reports;

/// <summary>One HTML file that holds everything: no network, no scripts.</summary>
internal static class HtmlReport
{
    /// <summary>The file's content, UTF-8.</summary>
    public static byte[] ToBytes(ReportContent content) => Encoding.UTF8.GetBytes(ToHtml(content));

    /// <summary>The file's content.</summary>
    public static string ToHtml(ReportContent content)
    {
        var html = new HtmlWriter();
        html.Raw("<!doctype html>\n");
        using (html.Tag("html", ("lang", "en")))
        {
            Head(html, content);
            using IDisposable body = html.Tag("body");
            using IDisposable main = html.Tag("main");
            using (html.Tag("header"))
            {
                html.Leaf("h1", content.Title);
                html.Leaf("p", string.Create(CultureInfo.InvariantCulture,
                    $"{content.Made:d MMMM yyyy, HH:mm} · ML.Distillation {Version}"), ("class", "note"));
            }

            VerdictSection.Write(html, content);
            TradeOffSection.Write(html, content);
            TimingSection.Write(html, content);
            PictureSection.Write(html, content);
            ScoreSection.Write(html, content);
            CurveSection.Write(html, content);
            ClassSection.Write(html, content);
            ErrorSection.Write(html, content);
            TrainingSection.Write(html, content);
            DataSection.Write(html, content);
            SettingsSection.Write(html, content);
        }

        return html.ToString();
    }

    /// <summary>This library's version.</summary>
    internal static string Version { get; } = typeof(HtmlReport).Assembly
        .GetCustomAttribute<AssemblyInformationalVersionAttribute>()?.InformationalVersion.Split('+')[0] ?? "";

    private static void Head(HtmlWriter html, ReportContent content)
    {
        using IDisposable head = html.Tag("head");
        html.Leaf("meta", null, ("charset", "utf-8"));
        html.Leaf("meta", null, ("name", "viewport"), ("content", "width=device-width, initial-scale=1"));
        html.Leaf("meta", null, ("name", "color-scheme"), ("content", "light dark"));
        // A page without an icon of its own makes browsers ask the network for one.
        html.Leaf("link", null, ("rel", "icon"), ("href", "data:,"));
        html.Leaf("title", content.Title);
        using IDisposable style = html.Tag("style");
        html.Raw(Style());
    }

    private static string Style()
    {
        using Stream stream = typeof(HtmlReport).Assembly.GetManifestResourceStream("Microsoft.ML.Distillation.Reports.report.css")!;
        using var reader = new StreamReader(stream);
        return reader.ReadToEnd();
    }
}

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

/// <summary>Numbers as people read them.</summary>
internal static class Figures
{
    /// <summary>A share in per cent, with the sign; "–" where there is none.</summary>
    public static string Percent(double? share)
        => share is double value && double.IsFinite(value) ? Hundredths(value) + "\u00A0%" : "–";

    /// <summary>A share in hundredths, where a word for the unit follows.</summary>
    public static string Hundredths(double share) => Text(100 * share, "0.0");

    /// <summary>A difference of shares in points, with its sign.</summary>
    public static string Points(double difference) => double.IsFinite(difference) ? Text(100 * difference, "+0.0;−0.0;0.0") : "–";

    /// <summary>A number of bytes in MB.</summary>
    public static string Megabytes(long? bytes) => bytes is long value ? Short(value / 1e6) : "–";

    /// <summary>Three digits.</summary>
    public static string Short(double? number) => number switch
    {
        null => "–",
        double value when !double.IsFinite(value) => "–",
        double value when Math.Abs(value) >= 100 => Text(value, "N0"),
        double value when Math.Abs(value) >= 10 => Text(value, "0.0"),
        0 => "0",
        double value when Math.Abs(value) >= 0.1 => Text(value, "0.00"),
        double value when Math.Abs(value) >= 0.001 => Text(value, "0.####"),
        double value => Text(value, "0.###e+0"),
    };

    /// <summary>A count with its thousands set apart.</summary>
    public static string Count(long? count) => count is long value ? Text(value, "N0") : "–";

    /// <summary>How many times.</summary>
    public static string Times(double factor) => Text(factor, factor >= 10 ? "0" : "0.0") + "×";

    private static string Text(double value, string format) => value.ToString(format, CultureInfo.InvariantCulture);
}
