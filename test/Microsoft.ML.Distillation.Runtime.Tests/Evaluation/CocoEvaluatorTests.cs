using Microsoft.ML.Distillation.Evaluation;
using Microsoft.ML.Distillation.Model;

namespace Microsoft.ML.Distillation.Tests.Evaluation;

public class CocoEvaluatorTests
{
    private static readonly string[] OneClass = ["thing"];

    [Test]
    public void Figures_EqualTheReference_OnTheGoldenSet()
    {
        CocoPairing pairing = GoldenSet();
        CocoMetrics metrics = CocoEvaluator.Evaluate(pairing.Images, pairing.ClassNames);
        double[] figures =
        [
            metrics.AveragePrecision, metrics.AveragePrecision50, metrics.AveragePrecision75,
            metrics.AveragePrecisionSmall, metrics.AveragePrecisionMedium, metrics.AveragePrecisionLarge,
            metrics.AverageRecall1, metrics.AverageRecall10, metrics.AverageRecall100,
            metrics.AverageRecallSmall, metrics.AverageRecallMedium, metrics.AverageRecallLarge,
        ];
        double[] golden =
        [
            .5045806987, .6969727247, .5729816670, .5856257209, .5193996948, .5013978986,
            .3868127796, .5936795763, .5953529829, .6398109626, .5664205979, .5642905983,
        ];
        Assert.That(figures, Is.EqualTo(golden).Within(1e-10));
        Assert.That(pairing.OfUnknownImages.Count + pairing.OfUnknownClasses.Count, Is.Zero);
    }

    [Test]
    public void OrderOfImagesDetectionsAndClasses_ChangesNothing()
    {
        (EvaluationImage[] images, string[] names) = Scenes.Draw(seed: 1);
        CocoMetrics before = CocoEvaluator.Evaluate(images, names);
        CocoMetrics after = CocoEvaluator.Evaluate(Scenes.Shuffle(images, seed: 2), names);
        int[] renamed = [3, 1, 0, 4, 2];
        CocoMetrics reordered = CocoEvaluator
            .Evaluate(Scenes.Relabel(images, renamed), [.. names.Select((_, c) => names[Array.IndexOf(renamed, c)])]);

        Scenes.AssertSame(after, before);
        Scenes.AssertSame(reordered, before);
        foreach (CocoClassMetrics expected in before.Classes)
        {
            CocoClassMetrics actual = reordered.Classes.Single(c => c.Name == expected.Name);
            Assert.That(actual.AveragePrecision, Is.EqualTo(expected.AveragePrecision).Within(1e-12));
        }
    }

    [Test]
    public void WrongDetection_OfLowestScore_NeverRaisesAveragePrecision([Range(1, 10)] int seed)
    {
        (EvaluationImage[] images, string[] names) = Scenes.Draw(seed);
        var random = new Random(seed);
        CocoMetrics before = CocoEvaluator.Evaluate(images, names);
        for (int i = 0; i < 20; i++)
        {
            int at = random.Next(images.Length);
            var wrong = new DetectedBox(new Box(1000, 1000, 1010 + i, 1010), random.Next(names.Length), 1e-6 * random.NextDouble());
            images[at] = images[at] with { Detections = [.. images[at].Detections, wrong] };
            CocoMetrics after = CocoEvaluator.Evaluate(images, names);
            Assert.That(after.AveragePrecision, Is.LessThanOrEqualTo(before.AveragePrecision));
            Assert.That(after.AveragePrecision50, Is.LessThanOrEqualTo(before.AveragePrecision50));
        }
    }

    [Test]
    public void PerfectDetections_GiveOne()
    {
        (EvaluationImage[] images, string[] names) = Scenes.Draw(seed: 3);
        CocoMetrics metrics = CocoEvaluator.Evaluate(Scenes.Perfect(images), names);
        Assert.That(metrics.AveragePrecision, Is.EqualTo(1).Within(1e-12));
        Assert.That(metrics.AverageRecall100, Is.EqualTo(1).Within(1e-12));
    }

    [Test]
    public void ClassWithoutObjects_IsNoNumber_AndLeftOutOfTheMean()
    {
        EvaluationImage[] images =
        [
            new([new TrueBox(new Box(0, 0, 10, 10), 0)],
                [new DetectedBox(new Box(0, 0, 10, 10), 0, .9), new DetectedBox(new Box(0, 0, 5, 5), 1, .9)]),
        ];
        CocoMetrics metrics = CocoEvaluator.Evaluate(images, ["known", "unseen"]);
        Assert.That(metrics.AveragePrecision, Is.EqualTo(1));
        Assert.That(metrics.Classes[1].AveragePrecision, Is.NaN);
        Assert.That(metrics.AveragePrecisionLarge, Is.NaN);
    }

    [Test]
    public void NoObjectAnywhere_IsNoNumber()
    {
        EvaluationImage[] images = [new([], [new DetectedBox(new Box(0, 0, 5, 5), 0, .9)]), new([], [])];
        Assert.That(CocoEvaluator.Evaluate(images, OneClass).AveragePrecision, Is.NaN);
        Assert.That(CocoEvaluator.Evaluate([], []).AveragePrecision, Is.NaN);
    }

    [Test]
    public void NoDetection_IsZero()
    {
        EvaluationImage[] images = [new([new TrueBox(new Box(0, 0, 10, 10), 0)], [])];
        Assert.That(CocoEvaluator.Evaluate(images, OneClass).AveragePrecision, Is.Zero);
    }

    [Test]
    public void ScoresAndBoxesThatAreNoNumbers_RankLast_AndDoNotThrow()
    {
        EvaluationImage[] images =
        [
            new([new TrueBox(new Box(0, 0, 10, 10), 0)],
            [
                new DetectedBox(new Box(0, 0, 10, 10), 0, double.NaN),
                new DetectedBox(new Box(0, 0, 10, 10), 0, .5),
                new DetectedBox(new Box(double.NaN, 0, double.PositiveInfinity, 10), 0, .4),
                new DetectedBox(new Box(0, 0, 10, 10), 7, .9),
                new DetectedBox(new Box(0, 0, 10, 10), -1, .9),
            ]),
        ];
        CocoMetrics metrics = CocoEvaluator.Evaluate(images, OneClass);
        Assert.That(metrics.AveragePrecision, Is.EqualTo(1));
    }

    [Test]
    public void ObjectOutsideTheClassList_IsAnErrorThatNamesTheImage()
        => Assert.That(
            () => CocoEvaluator.Evaluate([new([new TrueBox(new Box(0, 0, 1, 1), 1)], [])], OneClass),
            Throws.ArgumentException.With.Message.Contains("Image 0"));

    [Test]
    public void Crowd_MayBeFoundAnyNumberOfTimes_WithoutHarm()
    {
        var crowd = new TrueBox(new Box(0, 0, 100, 100), 0) { Crowd = true };
        EvaluationImage[] images =
        [
            new([crowd, new TrueBox(new Box(200, 0, 220, 20), 0)],
            [
                new DetectedBox(new Box(0, 0, 20, 20), 0, .9),
                new DetectedBox(new Box(50, 50, 70, 70), 0, .8),
                new DetectedBox(new Box(200, 0, 220, 20), 0, .1),
            ]),
        ];
        Assert.That(CocoEvaluator.Evaluate(images, OneClass).AveragePrecision, Is.EqualTo(1));
    }

    [Test]
    public void DifficultObject_FoundOrMissed_ChangesNothing()
    {
        var difficult = new TrueBox(new Box(0, 0, 20, 20), 0) { Difficult = true };
        var plain = new TrueBox(new Box(200, 0, 220, 20), 0);
        var right = new DetectedBox(plain.Box, 0, .5);
        EvaluationImage[] missed = [new([difficult, plain], [right])];
        EvaluationImage[] found = [new([difficult, plain], [new DetectedBox(difficult.Box, 0, .9), right])];
        Assert.That(CocoEvaluator.Evaluate(missed, OneClass).AveragePrecision, Is.EqualTo(1));
        Assert.That(CocoEvaluator.Evaluate(found, OneClass).AveragePrecision, Is.EqualTo(1));
    }

    private static CocoPairing GoldenSet()
    {
        string folder = TestData.Folder("coco-eval");
        return CocoPairing.Read(Path.Combine(folder, "instances_val2014_100.json"),
            Path.Combine(folder, "instances_val2014_fakebbox100_results.json"));
    }
}
