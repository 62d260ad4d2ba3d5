using Microsoft.ML.Distillation.Data;
using Microsoft.ML.Distillation.Detectors.Backbones;
using Microsoft.ML.Distillation.Images;
using Microsoft.ML.Distillation.Rows;
using Microsoft.ML.Distillation.Tensors;

namespace Microsoft.ML.Distillation.Tests.Data;

public class UnionDatasetTests
{
    [TestCase(10, 0.6, 6, 6)]
    [TestCase(5, 0.6, 3, 3)]
    [TestCase(4, 0.6, 2, 3)]
    [TestCase(2, 0.25, 0, 1)]
    public void EveryBatch_HasTheRatio_ToWithinOneImage(int batchSize, double share, int least, int most)
    {
        using SampleStore labelled = DrawnStore.Of(7), others = DrawnStore.Of(40);
        using var union = new UnionDataset(labelled, others, share);
        var loader = new BatchLoader(union, [new ImageSize(8, 8)], batchSize, AugmentationOptions.None, wholeBatches: true);
        int drawn = 0, total = 0;
        for (int epoch = 0; epoch < 20; epoch++)
        {
            foreach (DetectionBatch batch in loader.Epoch(3, epoch, shuffle: true))
            {
                using (batch)
                {
                    int own = batch.Indices.Count(index => index < labelled.Count);
                    Assert.That(own, Is.InRange(least, most));
                    (drawn, total) = (drawn + own, total + batch.Count);
                }
            }
        }

        Assert.That(total, Is.EqualTo(20 * (47 / batchSize) * batchSize), "an epoch is as long as both sets together");
        Assert.That(drawn, Is.EqualTo(total * share).Within(1));
    }

    [Test]
    public void BothParts_AreSeenEquallyOften_OverTheEpochs()
    {
        using SampleStore labelled = DrawnStore.Of(7), others = DrawnStore.Of(40);
        using var union = new UnionDataset(labelled, others, 0.6);
        int[] times = new int[47];
        for (int epoch = 0; epoch < 30; epoch++)
            foreach (int index in union.Order(1, epoch, 47)) times[index]++;
        Assert.That(times.Take(7).Max() - times.Take(7).Min(), Is.LessThanOrEqualTo(1));
        Assert.That(times.Skip(7).Max() - times.Skip(7).Min(), Is.LessThanOrEqualTo(1));
    }

    [Test]
    public void Order_FollowsFromSeedAndEpoch()
    {
        using SampleStore labelled = DrawnStore.Of(7), others = DrawnStore.Of(40);
        using UnionDataset one = new(labelled, others, 0.6), other = new(labelled, others, 0.6);
        int[] fifth = one.Order(1, 5, 44);
        for (int epoch = 0; epoch < 5; epoch++) other.Order(1, epoch, 44);
        Assert.That(other.Order(1, 5, 44), Is.EqualTo(fifth), "whatever was asked for before");
        Assert.That(one.Order(2, 5, 44), Is.Not.EqualTo(fifth));
        Assert.That(one.Order(1, 6, 44), Is.Not.EqualTo(fifth));
    }

    [Test]
    public void AnImageThatComesTwice_IsVariedAnew()
    {
        using SampleStore labelled = DrawnStore.Of(1), others = DrawnStore.Of(40);
        using var union = new UnionDataset(labelled, others, 0.6);
        var loader = new BatchLoader(union, [new ImageSize(12, 10)], 41, new AugmentationOptions());
        using DetectionBatch batch = loader.Epoch(1, 1, shuffle: true).Single();
        string[] own = [.. Enumerable.Range(0, batch.Count).Where(i => batch.Indices[i] == 0)
            .Select(i => Convert.ToHexString(batch.Views[0][i].contiguous().bytes))];
        Assert.That(own, Has.Length.GreaterThan(20).And.Unique);
    }

    [Test]
    public void Images_AreThoseOfBothParts()
    {
        using SampleStore labelled = DrawnStore.Of(3), others = DrawnStore.Of(5);
        using var relabelled = new RelabelledDataset(others, labelled.ClassNames,
            [(4, new Annotation([0, 0, 1, 1], [1])), (1, Annotation.Empty)]);
        using var union = new UnionDataset(labelled, relabelled, 0.5);
        Assert.That(union.Count, Is.EqualTo(5));
        Assert.That(union.Read(2), Is.EqualTo(labelled.Read(2)));
        Assert.That(union.Read(3).Pixels, Is.EqualTo(others.Read(4).Pixels));
        Assert.That(union.AnnotationOf(3).Labels, Is.EqualTo(new[] { 1 }));
        Assert.That(union.SizeOf(4), Is.EqualTo(others.SizeOf(1)));
    }
}
