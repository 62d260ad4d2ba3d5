using System.Reflection;
using Microsoft.ML.Distillation.Tool.Display;

namespace Microsoft.ML.Distillation.Tests.Tool;

public class SeedMeansTests
{
    [Test]
    public void Means_AreThoseOfTheRuns_OfFiguresClassesCurvesAndErrors()
    {
        DetectionMetrics one = ReportScenes.Content().Find(DetectorRole.Alone)!.Metrics!,
        other = ReportScenes.Content().Find(DetectorRole.Distilled)!.Metrics!;
        DetectionMetrics mean = SeedMeans.Of([one, other]);
        Assert.That(one.AveragePrecision75, Is.LessThan(other.AveragePrecision75), "or this tests nothing");
        foreach (PropertyInfo figure in typeof(CocoMetrics).GetProperties().Where(property => property.PropertyType == typeof(double)))
            Assert.That((double)figure.GetValue(mean.Coco)!,
                Is.EqualTo(((double)figure.GetValue(one.Coco)! + (double)figure.GetValue(other.Coco)!) / 2).Within(1e-12), figure.Name);
        for (int c = 0; c < mean.Classes.Count; c++)
        {
            foreach (PropertyInfo figure in typeof(CocoClassMetrics).GetProperties()
                .Where(property => property.PropertyType == typeof(double)))
                Assert.That((double)figure.GetValue(mean.Coco.Classes[c])!,
                    Is.EqualTo(((double)figure.GetValue(one.Coco.Classes[c])! + (double)figure.GetValue(other.Coco.Classes[c])!) / 2)
                    .Within(1e-12), figure.Name);
            Assert.That(mean.Classes[c].AveragePrecision50, Is.EqualTo(mean.Coco.Classes[c].AveragePrecision50).Within(1e-12));
        }

        Assert.That(mean.Coco.Curves[0].Precision.Average(), Is.EqualTo(mean.AveragePrecision50).Within(1e-12),
            "a mean of curves is the curve of the mean");
        Assert.That(mean.Errors.Missed.AveragePrecisionGain,
            Is.EqualTo((one.Errors.Missed.AveragePrecisionGain + other.Errors.Missed.AveragePrecisionGain) / 2).Within(1e-12));
        Assert.That(mean.Errors.Missed.Count, Is.EqualTo((int)Math.Round((one.Errors.Missed.Count + other.Errors.Missed.Count) / 2.0)));
        Assert.That(SeedMeans.Of([one]), Is.SameAs(one));
    }
}
