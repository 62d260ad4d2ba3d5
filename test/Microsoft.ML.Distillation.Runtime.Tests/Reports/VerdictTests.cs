using System.Text.RegularExpressions;
using Microsoft.ML.Distillation.Drawing;
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
        foreach (string figure in (string[])["35.0", "55.0", "25.0"])
            Assert.That(row, Does.Contain($"<td>{figure}&#160;%</td>"), "AP, AP50, AP75");
        Assert.That(html, Does.Contain("30.0&#160;% / 50.0&#160;% / 10.0&#160;%").And.Contain("40.0&#160;% / 60.0&#160;% / 40.0&#160;%"),
            "every seed");
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

    /// <summary>A student alone and a distilled one cost the same, and a good teacher is near the edge.</summary>
    [TestCase(new[] { 40, 4, 4.1, 3.9 }, new[] { 45.1, 29.8, 32.2, 31 })]
    [TestCase(new[] { 1, 1, 1, 1.0 }, new[] { 0, 0, 0, 0.1 })]
    [TestCase(new[] { 9, 10, 11, 10.5 }, new[] { 60, 60.1, 60.2, 60.3 })]
    public void NamesOfPoints_LieNeitherOnEachOtherNorOnPoints_AndInside(double[] costs, double[] aps)
    {
        Axis x = Axis.LinearTo(0, costs.Max(), PlotFrame.Left, PlotFrame.Right);
        Axis y = Axis.LinearTo(0, Math.Max(1, aps.Max()), PlotFrame.Bottom, PlotFrame.Top);
        ScatterPoint[] points = [.. costs.Zip(aps, (cost, ap) => new ScatterPoint("student distilled", "m-model", cost, ap, "", 1))];
        LabelPlace[] labels = [.. ScatterPlot.Labels(x, y, points).Select(label => label!.Value)];
        for (int i = 0; i < points.Length; i++)
        {
            Assert.That(labels[i].Left >= PlotFrame.Left && labels[i].Right <= PlotFrame.Right, Is.True);
            Assert.That(labels[i].Top >= 0 && labels[i].Bottom <= PlotFrame.Bottom, Is.True);
            for (int k = 0; k < points.Length; k++)
            {
                Assert.That(i != k && labels[i].Overlaps(labels[k]), Is.False);
                double px = x.At(points[k].X), py = y.At(points[k].Y);
                Assert.That(px > labels[i].Left && px < labels[i].Right && py > labels[i].Top && py < labels[i].Bottom, Is.False);
            }
        }
    }

    /// <summary>A distilled student and its controls: each name must be seen to be its point's.</summary>
    [Test]
    public void NamesOfPointsThatCrowd_StandBeneathEachOther_AsThePointsDo()
    {
        Axis x = Axis.LinearTo(0, 12, PlotFrame.Left, PlotFrame.Right), y = Axis.LinearTo(0, 27, PlotFrame.Bottom, PlotFrame.Top);
        ScatterPoint[] points = [new("teacher", "", 11.4, 26.3, ""), new("student alone", "", 1.27, 21.9, ""),
            new("student alone + L2", "", 1.12, 22.4, ""), new("student distilled", "", 1.35, 24, "")];
        LabelPlace[] labels = [.. ScatterPlot.Labels(x, y, points).Select(label => label!.Value)];
        Assert.That(labels[1..].Select(label => label.Left), Is.All.EqualTo(labels[1].Left).And.All.GreaterThan(x.At(1.35)));
        Assert.That(labels[1].Top >= labels[2].Bottom && labels[2].Top >= labels[3].Bottom);
    }

    [TestCase(40, 4, "Both axes begin at 0", ">ms per image on this machine&#39;s CPU<")]
    [TestCase(400, 4, "logarithmic: equal steps", ">ms per image on this machine&#39;s CPU (logarithmic)<")]
    public void PlotOfCost_SaysItsUnit_AndWhenItsStepsAreFactors(double teacher, double student, string said, string unit)
    {
        string section = TradeOff(
            [Measured("teacher", DetectorRole.Teacher, .5, teacher), Measured("s", DetectorRole.Distilled, .4, student)]);
        Assert.That(section, Does.Contain(said).And.Contain(unit));
        Assert.That(Regex.Count(section, "<svg"), Is.EqualTo(1), "one plot");
        Assert.That(section, Does.Contain(">0&#160;%<").And.Contain(">50&#160;%<").And.Contain(">teacher<").And.Contain(">s<"));
    }

    [Test]
    public void PlotOfCost_TakesWhatIsKnownOfMost_AndNamesWhoIsMissing()
    {
        ReportedModel[] models =
        [
            Measured("a", DetectorRole.Teacher, .5, 0) with { Parameters = 3_000_000 },
            Measured("b", DetectorRole.Distilled, .4, 0) with { Parameters = 2_000_000 },
            Measured("c", DetectorRole.Quantised, .4, 5),
        ];
        Assert.That(TradeOff(models), Does.Contain(">million parameters<").And.Contain("Not measured: c."));
    }

    private static ReportedModel Measured(string name, DetectorRole role, double ap, double milliseconds)
        => new(name, role) { Milliseconds = milliseconds, Seeds = [new SeedFigures(1, ap, ap, ap)] };

    private static string TradeOff(ReportedModel[] models)
    {
        var html = new HtmlWriter();
        TradeOffSection.Write(html, new ReportContent("r", models) { Made = DateTimeOffset.UnixEpoch });
        return html.ToString();
    }
}
