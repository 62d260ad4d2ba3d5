using System.Text.RegularExpressions;
using Microsoft.ML.Distillation.Reports;

namespace Microsoft.ML.Distillation.Tests.Reports;

public partial class HtmlReportTests
{
    private static readonly string[] Void = ["meta", "link", "!doctype"];

    [TestCase(1200, false, "rgb(247, 246, 242)")]
    [TestCase(1200, true, "rgb(21, 23, 27)")]
    [TestCase(500, false, "rgb(247, 246, 242)")]
    [TestCase(390, false, "rgb(247, 246, 242)")]
    public void Browser_ShowsPlotsWithData_AndPictures_WithoutAnError(int width, bool dark, string background)
    {
        Browser browser = Browser.Open(HtmlReport.ToHtml(ReportScenes.Content()), width, dark);
        Assert.That(browser.Console, Is.Empty);
        Assert.That(browser.Words("errors"), Is.Empty);
        Assert.That(browser.Words("requests"), Is.Empty, "everything is in the file");
        Assert.That(browser.Number("pictures"), Is.EqualTo(4));
        Assert.That(browser.Number("loaded"), Is.EqualTo(4));
        Assert.That(browser.Number("panels"), Is.EqualTo(4 * 4), "ground truth and three models of each picture");
        Assert.That(browser.Number("plots"), Is.EqualTo(12),
            "2 of cost, score, 2 + 2 of curves, classes, validation, learning rate, terms, shares");
        Assert.That(browser.Words("emptyPlots"), Is.Empty);
        Assert.That(browser.Words("outside"), Is.Empty);
        Assert.That(browser.Facts.GetProperty("notANumber").GetBoolean(), Is.False);
        Assert.That(browser.Number("width"), Is.LessThanOrEqualTo(browser.Number("window")), "the page does not scroll sideways");
        Assert.That(browser.Facts.GetProperty("background").GetString(), Is.EqualTo(background));
    }

    [Test]
    public void Browser_ShowsAModelOfWhichOnlyTrainingIsKnown()
    {
        var content = new ReportContent("only trained",
            [new ReportedModel("model", DetectorRole.Model) { Training = ReportScenes.Training() }])
        { Made = DateTimeOffset.UnixEpoch };
        Browser browser = Browser.Open(HtmlReport.ToHtml(content));
        Assert.That(browser.Console, Is.Empty);
        Assert.That(browser.Number("plots"), Is.EqualTo(4));
        Assert.That(browser.Words("emptyPlots"), Is.Empty);
    }

    [Test]
    public void Page_IsWellFormed_AndEscapesNames()
    {
        string html = HtmlReport.ToHtml(ReportScenes.Content());
        Assert.That(html, Does.Contain("A &lt;test&gt; &amp; report").And.Not.Contain("<test>").And.Not.Contain("dog <b>"));
        Assert.That(html, Does.Not.Contain("<script").And.Not.Contain("http:").And.Not.Contain("https:"));
        var open = new Stack<string>();
        foreach (Match tag in Tag().Matches(html[html.IndexOf("</style>", StringComparison.Ordinal)..].Insert(0, "<html><head><style>")))
        {
            string name = tag.Groups["name"].Value;
            if (Void.Contains(name)) continue;
            if (tag.Value.StartsWith("</", StringComparison.Ordinal)) Assert.That(open.Pop(), Is.EqualTo(name));
            else open.Push(name);
        }

        Assert.That(open, Is.Empty);
    }

    [Test]
    public void Sections_ThatHaveNothingToSay_AreLeftOut()
    {
        string html = HtmlReport.ToHtml(
            new ReportContent("bare", [new ReportedModel("model", DetectorRole.Model)]) { Made = DateTimeOffset.UnixEpoch });
        Assert.That(Regex.Matches(html, "<section id=\"(\\w+)\"").Select(match => match.Groups[1].Value), Is.EqualTo(new[] { "verdict" }));
    }

    [GeneratedRegex(@"</?(?<name>[a-z!][\w]*)[^>]*>")]
    private static partial Regex Tag();
}
