using Microsoft.ML.Distillation.Evaluation;

namespace Microsoft.ML.Distillation.Tests.Evaluation;

/// <summary>What holds of every mean average precision. KITTI's, which needs other scenes, has the same tests of its own.</summary>
[TestFixtureSource(nameof(Metrics))]
public class MetricPropertyTests(string metric)
{
    private static readonly string[] Metrics = ["COCO", "COCO 50", "VOC 07", "VOC 12", "ILSVRC", "errors"];

    [Test]
    public void OrderOfImagesDetectionsAndClasses_ChangesNothing([Range(1, 3)] int seed)
    {
        (EvaluationImage[] images, string[] names) = Scenes.Draw(seed);
        double before = Measure(images, names);
        Assert.That(Measure(Scenes.Shuffle(images, seed), names), Is.EqualTo(before).Within(1e-12));
        Assert.That(Measure(Scenes.Relabel(images, [3, 1, 0, 4, 2]), names), Is.EqualTo(before).Within(1e-12));
    }

    [Test]
    public void WrongDetection_OfLowestScore_NeverRaisesAveragePrecision([Range(1, 3)] int seed)
    {
        (EvaluationImage[] images, string[] names) = Scenes.Draw(seed);
        double before = Measure(images, names);
        for (int c = 0; c < names.Length; c++)
        {
            images[c] = images[c] with { Detections = [.. images[c].Detections, new DetectedBox(new Box(1000, 0, 1010, 10), c, 1e-6)] };
            Assert.That(Measure(images, names), Is.LessThanOrEqualTo(before));
        }
    }

    [Test]
    public void WrongDetection_OfHighestScore_LowersAveragePrecision()
    {
        (EvaluationImage[] images, string[] names) = Scenes.Draw(seed: 4);
        double before = Measure(images, names);
        images[0] = images[0] with { Detections = [.. images[0].Detections, new DetectedBox(new Box(1000, 0, 1010, 10), 0, 2)] };
        Assert.That(Measure(images, names), Is.LessThan(before));
    }

    [Test]
    public void PerfectDetections_GiveOne()
    {
        (EvaluationImage[] images, string[] names) = Scenes.Draw(seed: 3);
        Assert.That(Measure(Scenes.Perfect(images), names), Is.EqualTo(1).Within(1e-12));
    }

    [Test]
    public void DetectionInADontCareRegion_ChangesNothing()
    {
        (EvaluationImage[] images, string[] names) = Scenes.Draw(seed: 5);
        double before = Measure(images, names);
        var region = new TrueBox(new Box(2000, 0, 2100, 100), TrueBox.EveryClass) { DontCare = true };
        DetectedBox[] inside = [.. names
            .SelectMany((_, c) => new[] { 2, 1.5 }.Select(score => new DetectedBox(new Box(2010, 10, 2030, 30), c, score)))];
        images[0] = new EvaluationImage([.. images[0].Truth, region], [.. images[0].Detections, .. inside]);
        Assert.That(Measure(images, names), Is.EqualTo(before).Within(1e-12));

        images[0] = images[0] with { Truth = [.. images[0].Truth.SkipLast(1), region with { Label = 0 }] };
        Assert.That(Measure(images, names), Is.LessThan(before), "the region concerns one class only");
    }

    [Test]
    public void ClassWithoutObjects_IsLeftOut_AndNoObjectAnywhereIsNoNumber()
    {
        (EvaluationImage[] images, string[] names) = Scenes.Draw(seed: 6);
        Assert.That(Measure(images, [.. names, "unseen"]), Is.EqualTo(Measure(images, names)).Within(1e-12));
        Assert.That(Measure([new([], [new DetectedBox(new Box(0, 0, 9, 9), 0, 1)])], names), Is.NaN);
    }

    private double Measure(EvaluationImage[] images, string[] names) => metric switch
    {
        "COCO" => CocoEvaluator.Evaluate(images, names).AveragePrecision,
        "COCO 50" => CocoEvaluator.Evaluate(images, names).AveragePrecision50,
        "VOC 07" => VocEvaluator.Evaluate(images, names, new VocProtocol(VocInterpolation.ElevenPoints)).MeanAveragePrecision,
        "VOC 12" => VocEvaluator.Evaluate(images, names, new VocProtocol(VocInterpolation.AllPoints)).MeanAveragePrecision,
        "ILSVRC" => IlsvrcEvaluator.Evaluate(images, names).MeanAveragePrecision,
        _ => ErrorAnalyzer.Analyze(images, names).AveragePrecision50,
    };
}
