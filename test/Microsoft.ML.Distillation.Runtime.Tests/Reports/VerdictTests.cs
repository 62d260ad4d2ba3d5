using Microsoft.ML.Distillation.Reports;
using Microsoft.ML.Distillation.Reports.Plots;
using Microsoft.ML.Distillation.Reports.Sections;

namespace Microsoft.ML.Distillation.Tests.Reports;

public class VerdictTests
{
    [Test]
    public void OneRun_SaysTheGain_AndThatChanceIsNotKnown()
    {
        (string sentence, string detail) = VerdictSection.Sentence(ReportScenes.Content());
        Assert.That(sentence, Does.StartWith("Distilled, the student gains ").And.EndWith(" points of AP"));
        Assert.That(detail, Does.Contain("on 6 test images").And.Contain("57× smaller").And.Contain("9.8× as fast").And
            .Contain("how much of the difference is chance is not known"));
    }

    // Differences .01, .03, .02: mean .02, standard deviation .01, t(2) = 4.303: ± 4.303 × .01 / √3 = .0248.
    [TestCase(0.0, "No clear difference: +2.0 ±\u00A02.5 points of AP over 3 seeds")]
    [TestCase(0.03, "Distillation helps: +5.0 ±\u00A02.5 points of AP over 3 seeds")]
    [TestCase(-0.07, "Distillation hurts: −5.0 ±\u00A02.5 points of AP over 3 seeds")]
    public void Seeds_DecideTheVerdict(double shift, string expected)
    {
        SeedFigures[] alone = [new(1, .30, .5, .2), new(2, .31, .5, .2), new(3, .32, .5, .2)];
        SeedFigures[] distilled = [new(3, .34 + shift, .6, .3), new(1, .31 + shift, .6, .3), new(2, .34 + shift, .6, .3),
            new(9, .9, .9, .9)];
        Assert.That(VerdictSection.Sentence(ReportScenes.Content(aloneSeeds: alone, distilledSeeds: distilled)).Sentence,
            Is.EqualTo(expected));
    }

    [Test]
    public void Table_ShowsTheMeanOverSeeds_OfEveryFigure()
    {
        SeedFigures[] distilled = [new(1, .30, .50, .10), new(2, .40, .60, .40)];
        string html = HtmlReport.ToHtml(ReportScenes.Content(distilledSeeds: distilled));
        string row = html[html.IndexOf("<tr class=\"main\">", StringComparison.Ordinal)..];
        row = row[..row.IndexOf("</tr>", StringComparison.Ordinal)];
        Assert.That(row, Does.Contain("<td>35.0</td>").And.Contain("<td>55.0</td>").And.Contain("<td>25.0</td>"), "AP, AP50, AP75");
        Assert.That(html, Does.Contain("30.0 / 50.0 / 10.0").And.Contain("40.0 / 60.0 / 40.0"), "every seed");
        Assert.That(html, Does.Contain("What student distilled (seed 1) takes for what").And.Contain("Loss: student distilled (seed 1)"),
            "what is of one run says so");
    }

    [Test]
    public void Quantised_IsInTheVerdict_WithWhatItLosesAndSaves()
    {
        ReportContent content = ReportScenes.Content();
        ReportedModel distilled = content.Main;
        ReportedModel quantised = content.Find(DetectorRole.Alone)! with
        {
            Name = "student quantised",
            Role = DetectorRole.Quantised,
            Bytes = 70_000,
            Milliseconds = 2.05
        };
        string detail = VerdictSection.Sentence(content with { Models = [.. content.Models, quantised] }).Detail;
        string loss = Figures.Points(quantised.AveragePrecision - distilled.AveragePrecision);
        Assert.That(detail, Does.Contain(
            $"Quantised, it has AP {Figures.Percent(quantised.AveragePrecision)} ({loss} points), in a file 4.0× smaller and 2.0× as "
            + $"fast."));
        Assert.That(VerdictSection.Sentence(content).Detail, Does.Not.Contain("Quantised"));
    }

    [Test]
    public void Pictures_ShowWhereTheStudentGained_AndWhereItErrs_EachOnce()
    {
        ReportContent content = ReportScenes.Content(images: 10);
        var choice = PictureChoice.Of(content.Images, content.Main, content.Find(DetectorRole.Alone), 6);
        Assert.That(choice.Groups.Select(group => group.Images.Count), Is.EqualTo(new[] { 3, 3 }));
        Assert.That(choice.Groups.SelectMany(group => group.Images), Is.Unique);
        Assert.That(choice.Groups[1].Images, Is.All.Matches<int>(i => i % 2 == 0),
            "images of even number have a wrong detection beside the missed object");
    }

    [Test]
    public void JudgedImage_TellsRightFromWrongFromMissed_AndExcusesIgnored()
    {
        ReportedBox[] truth = [new("a", 0, 0, 10, 10), new("a", 20, 0, 30, 10), new("b", 40, 0, 50, 10, Ignored: true)];
        ReportedBox[] found = [new("a", 0, 0, 10, 9, .9f), new("a", 0, 0, 10, 10, .8f), new("b", 40, 0, 50, 10, .7f),
            new("a", 20, 0, 30, 10, .4f)];
        var judged = JudgedImage.Of(truth, found);
        Assert.That((judged.Right, judged.Wrong, judged.Missed), Is.EqualTo((1, 1, 1)));
        Assert.That(judged.Boxes.Select(box => box.Class), Is.EqualTo(new[] { "b-right", "b-wrong", "b-ignored", "b-missed" }));
        Assert.That(judged.Quality, Is.EqualTo(0.5).Within(1e-12));
    }

    [TestCase(89_360, "0.0894")]
    [TestCase(290_000, "0.29")]
    [TestCase(2_000, "0.002")]
    [TestCase(163_000_000, "163")]
    public void Megabytes_AreWrittenAsPeopleWriteThem(long bytes, string text) => Assert.That(Figures.Megabytes(bytes), Is.EqualTo(text));

    [TestCase(0, 1, new[] { 0, .2, .4, .6, .8, 1 })]
    [TestCase(0, 37, new double[] { 0, 10, 20, 30, 40 })]
    [TestCase(0, .0021, new[] { 0, .0005, .001, .0015, .002, .0025 })]
    public void Axis_MarksRoundNumbers(double from, double to, double[] ticks)
        => Assert.That(Axis.LinearTo(from, to, 0, 100).Ticks, Is.EqualTo(ticks).Within(1e-12));

    [Test]
    public void LogarithmicAxis_PutsEqualFactorsEquallyFarApart()
    {
        var axis = Axis.Logarithmic(3, 120, 0, 100);
        Assert.That(axis.Ticks, Is.EqualTo(new double[] { 2, 5, 10, 20, 50, 100, 200 }));
        Assert.That(axis.At(20) - axis.At(2), Is.EqualTo(axis.At(200) - axis.At(20)).Within(1e-9));
        Assert.That((axis.At(2), axis.At(200)), Is.EqualTo((0.0, 100.0)));
    }

    [Test]
    public void Labels_AreMovedApart_InTheirOrder()
    {
        double[] placed = ScatterPlot.Spaced([50, 51, 120]);
        Assert.That(placed[1] - placed[0], Is.GreaterThanOrEqualTo(15 - 1e-9));
        Assert.That(placed[2], Is.EqualTo(120));
    }
}
