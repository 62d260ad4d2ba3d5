using Microsoft.ML.Distillation.Data;
using Microsoft.ML.Distillation.Detectors.Boxes;
using Microsoft.ML.Distillation.Images;
using Microsoft.ML.Distillation.Rows;
using Microsoft.ML.Distillation.Tests.Training;
using TorchSharp;
using static TorchSharp.torch;

namespace Microsoft.ML.Distillation.Tests.Data;

/// <summary>Images of which several are shown in one.</summary>
public sealed class MixingTests
{
    private static readonly AugmentationOptions Mosaic = AugmentationOptions.None with { MosaicShare = 1 };
    private static readonly AugmentationOptions Mixup = AugmentationOptions.None with { MixupShare = 1 };

    [Test]
    public void AMosaic_ShowsFourImages_EachWithItsObjects()
    {
        using DetectionBatch mixed = Mixing.Apply(Batch(4), Mosaic, new Random(3));
        for (int i = 0; i < 4; i++)
        {
            // Each image has its own colour, and one object that is named by it.
            float[] colors = [.. Enumerable.Range(0, 4).Select(cell => At(mixed.Views[0], i, 2 + (4 * (cell % 2)), 2 + (4 * (cell / 2))))];
            Assert.That(colors, Is.EquivalentTo(new[] { 0f, 1, 2, 3 }));
            Assert.That(mixed.Annotations[i].Labels.Select(label => (float)label), Is.EqualTo(colors));
            for (int cell = 0; cell < 4; cell++)
            {
                (float x, float y) = (cell % 2 / 2f, cell / 2 / 2f);
                Assert.That(mixed.Annotations[i].Boxes[(4 * cell)..(4 * cell + 4)],
                    Is.EqualTo(new[] { x + 0.125f, y + 0.05f, x + 0.25f, y + 0.4f }).Within(1e-6f));
            }
        }

        Assert.That(Enumerable.Range(0, 4).Select(i => mixed.Annotations[i].Labels.ToArray()), Is.Unique);
    }

    [Test]
    public void AMosaicsQuarters_AreTheMeansOfPixels_InEveryView()
    {
        using DisposeScope scope = NewDisposeScope();
        using DetectionBatch batch = Batch(4, noise: true);
        Tensor[] before = [.. batch.Views.Select(view => view.clone())];
        using DetectionBatch mixed = Mixing.Apply(batch, Mosaic, new Random(3));
        int[] shown = mixed.Annotations[1].Labels;
        for (int view = 0; view < 2; view++)
        {
            int size = (int)before[view].shape[3];
            for (int cell = 0; cell < 4; cell++)
            {
                Tensor source = before[view][shown[cell]];
                float wanted = source[0, TensorIndex.Slice(2, 4), TensorIndex.Slice(4, 6)].mean().ToSingle();
                Assert.That(At(mixed.Views[view], 1, 2 + (size / 2 * (cell % 2)), 1 + (size / 2 * (cell / 2))),
                    Is.EqualTo(wanted).Within(1e-5f));
            }
        }
    }

    [Test]
    public void Mixup_ShowsTwoImages_WithTheObjectsOfBoth()
    {
        using DetectionBatch mixed = Mixing.Apply(Batch(3), Mixup, new Random(3));
        for (int i = 0; i < 3; i++)
        {
            int[] labels = mixed.Annotations[i].Labels;
            Assert.That(labels, Has.Length.EqualTo(2).And.Unique);
            Assert.That(labels[0], Is.EqualTo(i));
            Assert.That(At(mixed.Views[0], i, 3, 3), Is.EqualTo(labels.Average()).Within(1e-6));
            Assert.That(mixed.Annotations[i].Boxes[..4], Is.EqualTo(new[] { 0.25f, 0.1f, 0.5f, 0.8f }));
        }
    }

    [Test]
    public void SharesAreKept_AndOneIsNotChangedByTheOther()
    {
        int[] mosaics = Mixed(new AugmentationOptions { MosaicShare = 0.3f }, labels: 4);
        Assert.That(mosaics, Has.Length.EqualTo(300).Within(40));
        int[] both = Mixed(new AugmentationOptions { MosaicShare = 0.3f, MixupShare = 0.2f }, labels: 4, least: true);
        Assert.That(both, Is.SupersetOf(mosaics));

        static int[] Mixed(AugmentationOptions options, int labels, bool least = false)
        {
            using DetectionBatch mixed = Mixing.Apply(Batch(1000), options, new Random(5));
            return [.. Enumerable.Range(0, 1000).Where(i => least
                ? mixed.Annotations[i].Count >= labels : mixed.Annotations[i].Count == labels)];
        }
    }

    [Test]
    public void ABatchThatIsNotMixed_IsTheSame()
    {
        using DetectionBatch batch = Batch(2);
        Assert.That(Mixing.Apply(batch, new AugmentationOptions(), new Random(1)), Is.SameAs(batch));
    }

    [Test]
    public void Epochs_Mix_TheSameForASeed_WhateverTheNumberOfWorkers()
    {
        using var data = new DrawnDataset(12);
        Assert.That(Epoch(workers: 3, epoch: 1), Is.EqualTo(Epoch(workers: 1, epoch: 1)));
        Assert.That(Epoch(workers: 1, epoch: 2), Is.Not.EqualTo(Epoch(workers: 1, epoch: 1)));

        double[] Epoch(int workers, int epoch)
        {
            var loader = new BatchLoader(data, [new ImageSize(64, 64)], 4,
                new AugmentationOptions { MosaicShare = 0.5f, MixupShare = 0.5f }, workers: workers);
            var sums = new List<double>();
            foreach (DetectionBatch batch in loader.Epoch(7, epoch, shuffle: true))
            {
                using (batch)
                {
                    sums.AddRange(TensorArrays.Floats(batch.Views[0]).Select((value, i) => (double)value * (i % 97)));
                    sums.AddRange(batch.Annotations.SelectMany(annotation => annotation.Boxes).Select(share => (double)share));
                }
            }

            return [.. sums];
        }
    }

    /// <summary>Two views of images, each of the colour of its number and with one object of that class.</summary>
    private static DetectionBatch Batch(int count, bool noise = false)
    {
        manual_seed(1);
        return new DetectionBatch([View(8), View(16)],
            [.. Enumerable.Range(0, count).Select(i => new Annotation([0.25f, 0.1f, 0.5f, 0.8f], [i]))], [.. Enumerable.Range(0, count)])
        {
            Source = null,
            Sizes = [.. Enumerable.Repeat(new ImageSize(8, 8), count)],
            Geometries = [.. Enumerable.Repeat(ImageGeometry.Identity, count)],
        };

        Tensor View(int size)
        {
            using DisposeScope scope = NewDisposeScope();
            Tensor colors = arange(count, float32).view(count, 1, 1, 1).expand(count, 3, size, size);
            return (noise ? rand(count, 3, size, size) : colors.clone()).MoveToOuterDisposeScope();
        }
    }

    private static float At(Tensor view, int image, int x, int y)
    {
        using Tensor value = view[image, 0, y, x];
        return value.ToSingle();
    }
}
