using Microsoft.ML.Distillation.Data;
using Microsoft.ML.Distillation.Rows;

namespace Microsoft.ML.Distillation.Tests.Data;

public class DataStatisticsTests
{
    [Test]
    public void Statistics_CountAndMeasure()
    {
        using SampleStore store = DrawnStore.Of(5);
        DataStatistics statistics = DataStatistics.Of(store);
        Assert.That(statistics.Images, Is.EqualTo(5));
        Assert.That(statistics.Boxes, Is.EqualTo(0 + 1 + 2 + 0 + 1));
        Assert.That(statistics.MedianAspect, Is.EqualTo(22 / 16f));
        Assert.That(statistics.BoxWidths, Is.EqualTo(new[] { 0.2f, 0.2f, 0.3f, 0.2f }).Within(1e-6));
        Assert.That(statistics.BoxHeights, Is.EqualTo(new[] { 0.3f, 0.3f, 0.4f, 0.3f }).Within(1e-6));
        Assert.That(statistics.ClassNames, Is.EqualTo(new[] { "cat", "dog" }));
    }

    [Test]
    public void Statistics_OfMuchData_SampleBoxesEvenly()
    {
        using var builder = new SampleStoreBuilder(["cat"], long.MaxValue);
        for (int i = 0; i < 50; i++)
        {
            float[] boxes = [.. Enumerable.Repeat(new[] { 0, 0, i / 50f, 1 }, 1000).SelectMany(box => box)];
            builder.Add(DrawnImages.Noise(1, 1), new Annotation(boxes, new int[1000]));
        }

        using SampleStore store = builder.Build();
        DataStatistics statistics = DataStatistics.Of(store);
        Assert.That(statistics.Boxes, Is.EqualTo(50_000));
        Assert.That(statistics.BoxWidths, Has.Length.InRange(10_000, 20_000));
        Assert.That(statistics.BoxWidths.Distinct().Count(), Is.EqualTo(50));
    }

    [Test]
    public void Statistics_OfBackgroundOnly_HaveNoBoxes()
    {
        using SampleStore store = DrawnStore.Of(1);
        Assert.That(DataStatistics.Of(store).BoxWidths, Is.Empty);
    }
}
