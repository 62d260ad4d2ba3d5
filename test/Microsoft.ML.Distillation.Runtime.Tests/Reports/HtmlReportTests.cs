using System.Text.Json;
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
        Assert.That(browser.Number("plots"), Is.EqualTo(11),
            "cost, score, 2 + 2 of curves, classes, validation, learning rate, terms, shares");
        Assert.That(browser.Words("emptyPlots"), Is.Empty);
        Assert.That(browser.Words("outside"), Is.Empty);
        Assert.That(browser.Words("overprinted"), Is.Empty, "no text lies on another or on a point");
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

    /// <summary>The distilled student misses the second cat of each of six images, and sees one in the void of every other.</summary>
    [Test]
    public void WorstMistakes_AreCountedForEachClass_WithTheImagesToLookAt()
    {
        string html = HtmlReport.ToHtml(ReportScenes.Content());
        Assert.That(html, Does.Contain("Worst mistakes of student distilled by class"));
        string table = Regex.Matches(html, "<table class=\"worst\">.*?</table>", RegexOptions.Singleline).Single().Value;
        string text = Regex.Replace(Regex.Replace(table, "<[^>]+>", " "), @"\s+", " ");
        Assert.That(text, Does.Contain("Image with most cat 12 6 3 0.70 in image0.png image0.png (2) "));
        Assert.That(text, Does.Not.Contain("dog"), "all dogs are found");
    }

    [Test]
    public void Json_HasTheFiguresAsFractions_AndNullForWhatIsNotKnown()
    {
        ReportContent content = ReportScenes.Content();
        using JsonDocument json = JsonDocument.Parse(ReportJson.ToBytes(content));
        JsonElement root = json.RootElement;
        Assert.That(root.GetProperty("title").GetString(), Is.EqualTo("A <test> & report"));
        Assert.That(root.GetProperty("command").GetString(), Is.EqualTo(content.Command));
        Assert.That(root.GetProperty("images").GetInt32(), Is.EqualTo(6));
        JsonElement[] models = [.. root.GetProperty("models").EnumerateArray()];
        Assert.That(models.Select(model => model.GetProperty("name").GetString()), Is.EqualTo(content.Models.Select(model => model.Name)));
        Assert.That(models.Select(model => model.GetProperty("role").GetString()), Is.EqualTo(new[] { "Teacher", "Alone", "Distilled" }));
        foreach ((JsonElement written, ReportedModel model) in models.Zip(content.Models))
        {
            Assert.That(written.GetProperty("ap").GetDouble(), Is.EqualTo(model.AveragePrecision).And.InRange(0, 1));
            Assert.That(written.GetProperty("ap50").GetDouble(), Is.EqualTo(model.AveragePrecision50));
            Assert.That(written.GetProperty("parameters").GetInt64(), Is.EqualTo(model.Parameters));
            Assert.That(written.GetProperty("milliseconds").GetDouble(), Is.EqualTo(model.Milliseconds));
            Assert.That(written.GetProperty("apLarge").ValueKind, Is.EqualTo(JsonValueKind.Null), "no object is large");
            Assert.That(written.GetProperty("classes").EnumerateArray().Select(one => one.GetProperty("objects").GetInt32()),
                Is.EqualTo(new[] { 12, 6 }));
            JsonElement best = written.GetProperty("bestScore");
            Assert.That(best.GetProperty("score").GetDouble(), Is.EqualTo(0.9).Within(1e-6), "what is wrong has 0.7");
            Assert.That(best.GetProperty("precision").GetDouble(), Is.EqualTo(1));
        }

        Assert.That(models[0].GetProperty("bestScore").GetProperty("found").GetInt32(), Is.EqualTo(18));
        Assert.That(models[2].GetProperty("bestScore").GetProperty("missed").GetInt32(), Is.EqualTo(6));
    }

    [GeneratedRegex(@"</?(?<name>[a-z!][\w]*)[^>]*>")]
    private static partial Regex Tag();
}
