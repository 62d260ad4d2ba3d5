using Microsoft.ML.Distillation.Evaluation;

namespace Microsoft.ML.Distillation.Tests.Evaluation;

public class IlsvrcEvaluatorTests
{
    private static readonly string[] OneClass = ["thing"];

    // Pixels are inclusive: a box from 0 to 9 is 10 wide.
    [TestCase(10, 10, .25, Description = "100 / (20 * 20)")]
    [TestCase(20, 20, 4.0 / 9, Description = "400 / (30 * 30)")]
    [TestCase(100, 5, 500.0 / 1650, Description = "500 / (110 * 15)")]
    [TestCase(1, 1, 1.0 / 121, Description = "1 / (11 * 11)")]
    [TestCase(30, 30, .5, Description = "900 / (40 * 40) = .5625, more than .5")]
    public void Threshold_FallsWithTheObjectsSize(int width, int height, double threshold)
        => Assert.That(IlsvrcEvaluator.Threshold(new Box(7, 3, 7 + width - 1, 3 + height - 1)), Is.EqualTo(threshold).Within(1e-12));

    [Test]
    public void SmallObject_IsFoundByALooseBox_LargeOneIsNot_ByHand()
    {
        // Small: pixels 0..9 (10 x 10), found 3 to the right and below: 7 * 7 = 49 shared, 100 + 100 - 49 = 151 in all,
        // IoU .3245, threshold .25: right.
        // Large: pixels 0..29 (30 x 30), found 9 to the right and below: 21 * 21 = 441 shared, 900 + 900 - 441 = 1359 in all,
        // the same IoU .3245, threshold .5: wrong.
        // Best first: the large one's .9 wrong, then the small one's .8 right: precision 1/2 at recall 1/2. Area 1/2 * 1/2 = 1/4.
        EvaluationImage[] images =
        [
            new([new TrueBox(new Box(0, 0, 29, 29), 0)], [new DetectedBox(new Box(9, 9, 38, 38), 0, .9)]),
            new([new TrueBox(new Box(0, 0, 9, 9), 0)], [new DetectedBox(new Box(3, 3, 12, 12), 0, .8)]),
        ];
        IlsvrcClassMetrics thing = IlsvrcEvaluator.Evaluate(images, OneClass).Classes[0];
        Assert.That(thing.AveragePrecision, Is.EqualTo(.25).Within(1e-12));
        Assert.That(thing.Curve.Precision, Is.EqualTo(new[] { .5 }));
        Assert.That(thing.Curve.Recall, Is.EqualTo(new[] { .5 }));
        Assert.That(
            VocEvaluator.Evaluate(images, OneClass, new VocProtocol(VocInterpolation.AllPoints)).MeanAveragePrecision, Is.Zero,
            "at IoU .5");
    }

    [Test]
    public void SecondDetection_TakesTheNextObject_ByHand()
    {
        // Objects of 100 columns: 0..99 and 20..119. Found: 5..104 (.9), then 8..107 (.8).
        // .9: with the first 95 / 105 = .905, with the second 85 / 115 = .739: takes the first.
        // .8: with the first 92 / 108 = .852, but it is taken; with the second 88 / 112 = .786: takes the second.
        // VOC looks at the first only, so the second detection is wrong there: precision 1 to recall 1/2, area .5.
        EvaluationImage[] images =
        [
            new([new TrueBox(new Box(0, 0, 99, 99), 0), new TrueBox(new Box(20, 0, 119, 99), 0)],
                [new DetectedBox(new Box(8, 0, 107, 99), 0, .8), new DetectedBox(new Box(5, 0, 104, 99), 0, .9)]),
        ];
        Assert.That(IlsvrcEvaluator.Evaluate(images, OneClass).MeanAveragePrecision, Is.EqualTo(1).Within(1e-12));
        Assert.That(
            VocEvaluator.Evaluate(images, OneClass, new VocProtocol(VocInterpolation.AllPoints)).MeanAveragePrecision,
            Is.EqualTo(.5).Within(1e-12));
    }

    [Test]
    public void DifficultObject_FoundOrMissed_ChangesNothing()
    {
        var difficult = new TrueBox(new Box(0, 0, 20, 20), 0) { Difficult = true };
        var plain = new TrueBox(new Box(200, 0, 220, 20), 0);
        EvaluationImage[] images = [new([difficult, plain], [new DetectedBox(difficult.Box, 0, .9), new DetectedBox(plain.Box, 0, .5)])];
        Assert.That(IlsvrcEvaluator.Evaluate(images, OneClass).MeanAveragePrecision, Is.EqualTo(1));
    }

    [Test]
    public void ImageLeftOutForAClass_ExcusesItsDetections()
    {
        // What the challenge's list of images to leave out says: nobody checked this image for class 0.
        var leftOut = new TrueBox(new Box(0, 0, 500, 500), 0) { DontCare = true };
        Box box = new(10, 10, 40, 40);
        EvaluationImage[] images =
        [
            new([leftOut], [new DetectedBox(box, 0, .9), new DetectedBox(box, 0, .8), new DetectedBox(box, 1, .9)]),
            new([new TrueBox(box, 0), new TrueBox(box, 1)], [new DetectedBox(box, 0, .5), new DetectedBox(box, 1, .5)]),
        ];
        IlsvrcMetrics metrics = IlsvrcEvaluator.Evaluate(images, ["left out", "checked"]);
        Assert.That(metrics.Classes.Select(c => c.AveragePrecision), Is.EqualTo(new[] { 1, .5 }));
    }
}
