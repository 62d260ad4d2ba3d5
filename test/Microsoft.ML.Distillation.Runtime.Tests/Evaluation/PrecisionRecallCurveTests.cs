using Microsoft.ML.Distillation.Evaluation;

namespace Microsoft.ML.Distillation.Tests.Evaluation;

public class PrecisionRecallCurveTests
{
    [Test]
    public void CocoCurves_HaveTheAveragePrecisionsAsTheirMeans()
    {
        (EvaluationImage[] images, string[] names) = Scenes.Draw(seed: 1);
        CocoMetrics coco = CocoEvaluator.Evaluate(images, names);
        Assert.That(coco.Curves, Has.Count.EqualTo(10));
        Assert.That(coco.Curves[0].Precision.Average(), Is.EqualTo(coco.AveragePrecision50).Within(1e-12));
        Assert.That(coco.Curves.Average(curve => curve.Precision.Average()), Is.EqualTo(coco.AveragePrecision).Within(1e-12));
        foreach (CocoClassMetrics one in coco.Classes)
        {
            Assert.That(one.Curves[0].Precision.Average(), Is.EqualTo(one.AveragePrecision50).Within(1e-12));
            Assert.That(one.Curves[5].Precision.Average(), Is.EqualTo(one.AveragePrecision75).Within(1e-12));
            foreach (PrecisionRecallCurve curve in one.Curves) AssertFalls(curve);
        }
    }

    [Test]
    public void CocoClasses_HaveTheFiguresWhoseMeansAreTheTotals()
    {
        (EvaluationImage[] images, string[] names) = Scenes.Draw(seed: 2);
        CocoMetrics coco = CocoEvaluator.Evaluate(images, names);
        double Mean(Func<CocoClassMetrics, double> figure) => coco.Classes.Select(figure).Where(value => !double.IsNaN(value)).Average();
        Assert.That(Mean(c => c.AveragePrecision75), Is.EqualTo(coco.AveragePrecision75).Within(1e-12));
        Assert.That(Mean(c => c.AveragePrecisionSmall), Is.EqualTo(coco.AveragePrecisionSmall).Within(1e-12));
        Assert.That(Mean(c => c.AveragePrecisionMedium), Is.EqualTo(coco.AveragePrecisionMedium).Within(1e-12));
        Assert.That(Mean(c => c.AveragePrecisionLarge), Is.EqualTo(coco.AveragePrecisionLarge).Within(1e-12));
        Assert.That(Mean(c => c.AverageRecall100), Is.EqualTo(coco.AverageRecall100).Within(1e-12));
    }

    [Test]
    public void VocCurve_IsBuiltByHand()
    {
        // Two objects; best first: right, wrong, right: precision 1 at recall 1/2, 2/3 at recall 1.
        var box = new Box(0, 0, 20, 20);
        EvaluationImage[] images =
        [
            new([new TrueBox(box, 0)], [new DetectedBox(box, 0, .9), new DetectedBox(box, 0, .8)]),
            new([new TrueBox(box, 0)], [new DetectedBox(box, 0, .7)]),
        ];
        PrecisionRecallCurve curve = VocEvaluator.Evaluate(images, ["thing"], new VocProtocol(VocInterpolation.AllPoints)).Classes[0].Curve;
        Assert.That(curve.Recall, Is.EqualTo(new[] { .5, 1 }));
        Assert.That(curve.Precision, Is.EqualTo(new[] { 1, 2.0 / 3 }).Within(1e-12));
    }

    [Test]
    public void ClassWithoutObjects_HasNoCurve()
    {
        EvaluationImage[] images = [new([], [new DetectedBox(new Box(0, 0, 5, 5), 0, .9)])];
        DetectionMetrics metrics = DetectionEvaluator.Evaluate(images, ["car"]);
        Assert.That(metrics.Coco.Curves, Is.Empty);
        Assert.That(metrics.Coco.Classes[0].Curves, Is.Empty);
        Assert.That(metrics.Voc07.Classes[0].Curve.Recall, Is.Empty);
        Assert.That(metrics.Ilsvrc.Classes[0].Curve.Recall, Is.Empty);
        Assert.That(metrics.Kitti!.Easy.Classes[0].Curve.Recall, Is.Empty);
    }

    [Test]
    public void AllFigures_ComeTogether_KittisOnlyForItsClasses()
    {
        EvaluationImage[] streets = KittiScenes.Draw(seed: 1);
        DetectionMetrics metrics = DetectionEvaluator.Evaluate(streets, KittiScenes.Names);
        Assert.That(metrics.Kitti, Is.Not.Null);
        Assert.That(metrics.Errors.AveragePrecision50, Is.EqualTo(metrics.AveragePrecision50).Within(1e-12));
        Assert.That(metrics.Classes.Sum(c => c.Objects), Is.EqualTo(streets.Sum(image => image.Truth.Count(box => !box.DontCare))));

        (EvaluationImage[] images, string[] names) = Scenes.Draw(seed: 1);
        Assert.That(DetectionEvaluator.Evaluate(images, names).Kitti, Is.Null);
    }

    private static void AssertFalls(PrecisionRecallCurve curve)
    {
        Assert.That(curve.Recall, Is.Ordered.Ascending);
        Assert.That(curve.Precision, Is.Ordered.Descending);
        Assert.That(curve.Recall, Has.Count.EqualTo(curve.Precision.Count));
    }
}
