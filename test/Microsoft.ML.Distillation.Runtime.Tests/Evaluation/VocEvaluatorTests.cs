using System.Globalization;
using Microsoft.ML.Distillation.Evaluation;

namespace Microsoft.ML.Distillation.Tests.Evaluation;

public class VocEvaluatorTests
{
    private static readonly string[] OneClass = ["object"];

    [TestCase(.3, .2456866804, .2683982683)]
    [TestCase(.5, .0222222222, .0303030303)]
    public void Figures_EqualTheReference_OnTheGoldenSet(double iou, double allPoints, double elevenPoints)
    {
        EvaluationImage[] images = GoldenSet(TestData.Folder("voc-eval"));
        double all = VocEvaluator.Evaluate(images, OneClass, new VocProtocol(VocInterpolation.AllPoints, iou)).MeanAveragePrecision;
        double eleven = VocEvaluator.Evaluate(images, OneClass, new VocProtocol(VocInterpolation.ElevenPoints, iou)).MeanAveragePrecision;
        Assert.That(all, Is.EqualTo(allPoints).Within(1e-10));
        Assert.That(eleven, Is.EqualTo(elevenPoints).Within(1e-10));
    }

    [Test]
    public void OrderOfImagesAndDetections_ChangesNothing([Values(0, 1)] int interpolation)
    {
        var protocol = new VocProtocol((VocInterpolation)interpolation);
        (EvaluationImage[] images, string[] names) = Scenes.Draw(seed: 1);
        VocMetrics before = VocEvaluator.Evaluate(images, names, protocol);
        VocMetrics after = VocEvaluator.Evaluate(Scenes.Shuffle(images, seed: 2), names, protocol);
        Assert.That(after.MeanAveragePrecision, Is.EqualTo(before.MeanAveragePrecision).Within(1e-12));
    }

    [Test]
    public void WrongDetection_OfLowestScore_NeverRaisesAveragePrecision([Values(0, 1)] int interpolation, [Range(1, 5)] int seed)
    {
        var protocol = new VocProtocol((VocInterpolation)interpolation);
        (EvaluationImage[] images, string[] names) = Scenes.Draw(seed);
        double before = VocEvaluator.Evaluate(images, names, protocol).MeanAveragePrecision;
        for (int c = 0; c < names.Length; c++)
        {
            images[c] = images[c] with { Detections = [.. images[c].Detections, new DetectedBox(new Box(1000, 0, 1010, 10), c, 0)] };
            Assert.That(VocEvaluator.Evaluate(images, names, protocol).MeanAveragePrecision, Is.LessThanOrEqualTo(before));
        }
    }

    [Test]
    public void PerfectDetections_GiveOne([Values(0, 1)] int interpolation)
    {
        (EvaluationImage[] images, string[] names) = Scenes.Draw(seed: 3);
        VocMetrics metrics = VocEvaluator.Evaluate(Scenes.Perfect(images), names, new VocProtocol((VocInterpolation)interpolation));
        Assert.That(metrics.MeanAveragePrecision, Is.EqualTo(1).Within(1e-12));
    }

    [Test]
    public void InclusivePixels_WidenABoxByOne()
    {
        // 10 of 20 pixels by VOC's rule, 9 of 20 (0..9 against 0..19 edges: 9/19) without it.
        EvaluationImage[] images = [new([new TrueBox(new Box(0, 0, 19, 9), 0)], [new DetectedBox(new Box(0, 0, 9, 9), 0, 1)])];
        Assert.That(VocEvaluator.Evaluate(images, OneClass, new VocProtocol(VocInterpolation.AllPoints)).MeanAveragePrecision,
            Is.EqualTo(1));
        Assert.That(
            VocEvaluator.Evaluate(images, OneClass,
                new VocProtocol(VocInterpolation.AllPoints, InclusivePixels: false)).MeanAveragePrecision,
            Is.Zero);
    }

    [Test]
    public void DifficultObject_FoundOrMissed_ChangesNothing()
    {
        var difficult = new TrueBox(new Box(0, 0, 20, 20), 0) { Difficult = true };
        var plain = new TrueBox(new Box(200, 0, 220, 20), 0);
        EvaluationImage[] images =
            [new([difficult, plain], [new DetectedBox(difficult.Box, 0, .9), new DetectedBox(difficult.Box, 0, .8),
                new DetectedBox(plain.Box, 0, .5)])];
        Assert.That(VocEvaluator.Evaluate(images, OneClass, new VocProtocol(VocInterpolation.AllPoints)).MeanAveragePrecision,
            Is.EqualTo(1));
    }

    [Test]
    public void SecondDetectionOfAnObject_IsWrong()
    {
        var box = new Box(0, 0, 20, 20);
        EvaluationImage[] images =
        [
            new([new TrueBox(box, 0)], [new DetectedBox(box, 0, .9), new DetectedBox(box, 0, .8)]),
            new([new TrueBox(box, 0)], [new DetectedBox(box, 0, .7)]),
        ];
        VocMetrics metrics = VocEvaluator.Evaluate(images, OneClass, new VocProtocol(VocInterpolation.AllPoints));
        Assert.That(metrics.MeanAveragePrecision, Is.EqualTo((1 + 2.0 / 3) / 2).Within(1e-12));
    }

    private static EvaluationImage[] GoldenSet(string folder)
        => [.. Directory.GetFiles(Path.Combine(folder, "groundtruths"), "*.txt").Order(StringComparer.Ordinal)
            .Select(file => new EvaluationImage(
            [.. Rows(file).Select(row => new TrueBox(ToBox(row[^4..]), 0))],
            [.. Rows(Path.Combine(folder, "detections", Path.GetFileName(file)))
                .Select(row => new DetectedBox(ToBox(row[^4..]), 0, row[0]))]))];

    private static IEnumerable<double[]> Rows(string file)
        => File.ReadLines(file).Where(line => line.Length > 0)
            .Select(line => line.Split(' ')[1..].Select(field => double.Parse(field, CultureInfo.InvariantCulture)).ToArray());

    private static Box ToBox(double[] xywh) => new(xywh[0], xywh[1], xywh[0] + xywh[2], xywh[1] + xywh[3]);
}
