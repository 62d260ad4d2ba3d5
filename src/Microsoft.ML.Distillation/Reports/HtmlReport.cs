using System.Globalization;
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
                html.Leaf("p", string.Create(CultureInfo.InvariantCulture, $"{content.Made:d MMMM yyyy, HH:mm} · ML.Distillation {Version}"), ("class", "note"));
            }

            VerdictSection.Write(html, content);
            TradeOffSection.Write(html, content);
            PictureSection.Write(html, content);
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
    internal static string Version { get; } = typeof(HtmlReport).Assembly.GetCustomAttribute<AssemblyInformationalVersionAttribute>()?.InformationalVersion.Split('+')[0] ?? "";

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
