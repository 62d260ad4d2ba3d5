using Microsoft.ML.Distillation.Evaluation;

namespace Microsoft.ML.Distillation.Tests.Evaluation;

public class ConfusionCounterTests
{
    private static readonly string[] Names = ["A", "B"];

    [Test]
    public void Counts_ByHand()
    {
        // From .5 on: the right A; B for the A at 200; duplicate, badly placed and background A; B overlapping an A by a third.
        // Not found: the As at 100, 300 and 500; the B, whose detection scores .4.
        ConfusionMatrix confusion = ConfusionCounter.Count(ErrorAnalyzerTests.OneOfEach, Names);
        int[][] counts =
        [
            [1, 1, 3],
            [0, 0, 1],
            [3, 1, 0],
        ];
        Assert.That(confusion.Counts, Is.EqualTo(counts));
        Assert.That(confusion.Recall(0), Is.EqualTo(1.0 / 5));
        Assert.That(confusion.Precision(0), Is.EqualTo(1.0 / 4));
        Assert.That(confusion.Background, Is.EqualTo(2));
    }

    [Test]
    public void RightClass_ComesBeforeABetterPlacedWrongOne()
    {
        var box = new Box(0, 0, 10, 10);
        EvaluationImage[] images = [new([new TrueBox(box, 0)],
            [new DetectedBox(box, 1, .9), new DetectedBox(new Box(0, 0, 10, 8), 0, .6)])];
        int[][] counts =
        [
            [1, 0, 0],
            [0, 0, 0],
            [0, 1, 0],
        ];
        Assert.That(ConfusionCounter.Count(images, Names).Counts, Is.EqualTo(counts));
    }

    [Test]
    public void RowsSumToObjects_ColumnsToDetections()
    {
        (EvaluationImage[] images, string[] names) = Scenes.Draw(seed: 6);
        ConfusionMatrix confusion = ConfusionCounter.Count(images, names, scoreThreshold: .3);
        for (int c = 0; c < names.Length; c++)
        {
            Assert.That(confusion.Counts[c].Sum(), Is.EqualTo(images.Sum(image => image.Truth.Count(box => box.Label == c))));
            Assert.That(
                confusion.Counts.Sum(row => row[c]),
                Is.EqualTo(images.Sum(image => image.Detections.Count(box => box.Label == c && box.Score >= .3))));
        }
    }

    [Test]
    public void PerfectDetections_AreAllOnTheDiagonal()
    {
        (EvaluationImage[] images, string[] names) = Scenes.Draw(seed: 3);
        ConfusionMatrix confusion = ConfusionCounter.Count(Scenes.Perfect(images), names, scoreThreshold: 0);
        int diagonal = Enumerable.Range(0, names.Length).Sum(c => confusion.Counts[c][c]);
        Assert.That(diagonal, Is.EqualTo(images.Sum(image => image.Truth.Length)));
        Assert.That(confusion.Counts.Sum(row => row.Sum()), Is.EqualTo(diagonal));
    }

    [Test]
    public void OrderOfImagesDetectionsAndClasses_ChangesNothing()
    {
        (EvaluationImage[] images, string[] names) = Scenes.Draw(seed: 1);
        ConfusionMatrix before = ConfusionCounter.Count(images, names, scoreThreshold: 0);
        ConfusionMatrix after = ConfusionCounter.Count(Scenes.Shuffle(images, seed: 2), names, scoreThreshold: 0);
        Assert.That(after.Counts, Is.EqualTo(before.Counts));

        int[] renamed = [3, 1, 0, 4, 2, names.Length];
        ConfusionMatrix relabelled = ConfusionCounter.Count(Scenes.Relabel(images, renamed), names, scoreThreshold: 0);
        for (int row = 0; row <= names.Length; row++)
        {
            for (int column = 0; column <= names.Length; column++)
                Assert.That(relabelled.Counts[renamed[row]][renamed[column]], Is.EqualTo(before.Counts[row][column]));
        }
    }

    [Test]
    public void WrongDetection_OfLowestScore_OnlyAddsToTheBackground()
    {
        (EvaluationImage[] images, string[] names) = Scenes.Draw(seed: 2);
        ConfusionMatrix before = ConfusionCounter.Count(images, names, scoreThreshold: 0);
        images[0] = images[0] with { Detections = [.. images[0].Detections, new DetectedBox(new Box(1000, 0, 1010, 10), 1, .001)] };
        ConfusionMatrix after = ConfusionCounter.Count(images, names, scoreThreshold: 0);
        Assert.That(after.Counts[names.Length][1], Is.EqualTo(before.Counts[names.Length][1] + 1));
        Assert.That(after.Counts.Sum(row => row.Sum()), Is.EqualTo(before.Counts.Sum(row => row.Sum()) + 1));
    }

    [Test]
    public void DetectionsAndObjectsOutsideTheRules_DoNotThrow()
    {
        var box = new Box(0, 0, 10, 10);
        EvaluationImage[] images = [new([new TrueBox(box, 0) { Crowd = true }],
            [new DetectedBox(box, 0, .9), new DetectedBox(box, 9, .9), new DetectedBox(box, 0, double.NaN)])];
        Assert.That(ConfusionCounter.Count(images, Names).Counts.Sum(row => row.Sum()), Is.Zero);
        Assert.That(ConfusionCounter.Count([], Names).Recall(0), Is.NaN);
    }
}
