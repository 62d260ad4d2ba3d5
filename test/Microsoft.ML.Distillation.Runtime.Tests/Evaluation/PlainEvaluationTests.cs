using Microsoft.ML.Distillation.Evaluation;

namespace Microsoft.ML.Distillation.Tests.Evaluation;

/// <summary>The evaluators against the plain form of the definitions, on random scenes with crowds, difficult objects, areas and equal
/// scores.</summary>
public class PlainEvaluationTests
{
    private static readonly (double From, double To)[] Ranges = [(0, 1e10), (0, 1024), (1024, 9216), (9216, 1e10)];

    [Test]
    public void Coco_IsTheDefinitions_ForEveryClassThresholdAndArea([Range(1, 12)] int seed)
    {
        (EvaluationImage[] images, string[] names) = Draw(seed);
        CocoMetrics metrics = CocoEvaluator.Evaluate(images, names);
        for (int c = 0; c < names.Length; c++)
        {
            CocoClassMetrics actual = metrics.Classes[c];
            (double AveragePrecision, double Recall)[] byIou =
                [.. Enumerable.Range(0, 10).Select(t => PlainEvaluation.Coco(images, c, .5 + .05 * t, Ranges[0]))];
            Assert.That(actual.AveragePrecision, Is.EqualTo(byIou.Average(pair => pair.AveragePrecision)).Within(1e-9));
            Assert.That(actual.AveragePrecision50, Is.EqualTo(byIou[0].AveragePrecision).Within(1e-9));
            Assert.That(actual.AveragePrecision75, Is.EqualTo(byIou[5].AveragePrecision).Within(1e-9));
            Assert.That(actual.AverageRecall100, Is.EqualTo(byIou.Average(pair => pair.Recall)).Within(1e-9));
            Assert.That(actual.AverageRecall1, Is.EqualTo(Recall(1)).Within(1e-9));
            Assert.That(actual.AverageRecall10, Is.EqualTo(Recall(10)).Within(1e-9));
            double[] ofSize = [actual.AveragePrecisionSmall, actual.AveragePrecisionMedium, actual.AveragePrecisionLarge];
            double[] recallOfSize = [actual.AverageRecallSmall, actual.AverageRecallMedium, actual.AverageRecallLarge];
            for (int r = 1; r < Ranges.Length; r++)
            {
                (double AveragePrecision, double Recall)[] plain =
                    [.. Enumerable.Range(0, 10).Select(t => PlainEvaluation.Coco(images, c, .5 + .05 * t, Ranges[r]))];
                Assert.That(ofSize[r - 1], Is.EqualTo(plain.Average(pair => pair.AveragePrecision)).Within(1e-9), $"area {r}");
                Assert.That(recallOfSize[r - 1], Is.EqualTo(plain.Average(pair => pair.Recall)).Within(1e-9), $"area {r}");
            }

            double Recall(int most) => Enumerable.Range(0, 10)
                .Average(t => PlainEvaluation.Coco(images, c, .5 + .05 * t, Ranges[0], most).Recall);
        }
    }

    [Test]
    public void Voc_IsTheDefinitions_ForEveryClass([Range(1, 12)] int seed, [Values] bool elevenPoints)
    {
        (EvaluationImage[] images, string[] names) = Draw(seed);
        images = [.. images.Select(image => image with { Truth = [.. image.Truth.Select(box => box with { Crowd = false })] })];
        VocMetrics metrics = VocEvaluator
            .Evaluate(images, names, new VocProtocol(elevenPoints ? VocInterpolation.ElevenPoints : VocInterpolation.AllPoints));
        for (int c = 0; c < names.Length; c++)
            Assert.That(metrics.Classes[c].AveragePrecision, Is.EqualTo(PlainEvaluation.Voc(images, c, elevenPoints)).Within(1e-9),
                names[c]);
    }

    /// <summary>Half of the seeds have scores of one decimal, so that many are equal; a class has no object, and one no
    /// detection.</summary>
    private static (EvaluationImage[] Images, string[] Names) Draw(int seed)
    {
        (EvaluationImage[] images, string[] names) = Scenes.Draw(seed, images: 12, classes: 3, objects: 7, detections: 16);
        var random = new Random(seed);
        return ([.. images.Select(image => new EvaluationImage(
            [.. image.Truth.Select(box => box with { Crowd = random.Next(8) == 0, Difficult = random.Next(8) == 0,
                Area = box.Area * (.4 + (.6 * random.NextDouble())) })],
            [.. image.Detections.Select(box => box with { Score = seed % 2 == 0 ? Math.Round(box.Score, 1)
                : box.Score, Label = random.Next(20) == 0 ? 3 : box.Label })]))],
            [.. names, "no objects", "nothing"]);
    }
}
