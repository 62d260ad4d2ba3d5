using Microsoft.ML.Distillation.Data;
using Microsoft.ML.Distillation.Images;
using Microsoft.ML.Distillation.Rows;
using Microsoft.ML.Distillation.Tensors;
using TorchSharp;

namespace Microsoft.ML.Distillation.Tests.Data;

public class BatchLoaderTests
{
    private static readonly ImageSize[] OneView = [new(12, 10)];

    [Test]
    public void Epoch_IsTheSame_WhateverTheNumberOfWorkers()
    {
        using SampleStore store = DrawnStore.Of(23);
        var one = new BatchLoader(store, OneView, 4, new AugmentationOptions(), workers: 1);
        var many = new BatchLoader(store, OneView, 4, new AugmentationOptions(), workers: 5);
        Assert.That(Contents(many.Epoch(3, 1, shuffle: true)), Is.EqualTo(Contents(one.Epoch(3, 1, shuffle: true))));
    }

    [Test]
    public void Epochs_AndSeeds_Differ()
    {
        using SampleStore store = DrawnStore.Of(23);
        var loader = new BatchLoader(store, OneView, 4, new AugmentationOptions());
        string[] contents = [Contents(loader.Epoch(3, 1, true)), Contents(loader.Epoch(3, 2, true)), Contents(loader.Epoch(4, 1, true))];
        Assert.That(contents, Is.Unique);
    }

    [Test]
    public void Epoch_ShowsEveryImageOnce_WithASmallerLastBatch()
    {
        using SampleStore store = DrawnStore.Of(10);
        var loader = new BatchLoader(store, OneView, 4, AugmentationOptions.None);
        var indices = new List<IReadOnlyList<int>>();
        foreach (DetectionBatch batch in loader.Epoch(1, 0, shuffle: true))
        {
            using (batch)
            {
                indices.Add(batch.Indices);
                Assert.That(batch.Views[0].shape, Is.EqualTo(new long[] { batch.Count, 3, 10, 12 }));
            }
        }

        Assert.That(loader.BatchesPerEpoch, Is.EqualTo(3));
        Assert.That(indices.Select(batch => batch.Count), Is.EqualTo(new[] { 4, 4, 2 }));
        Assert.That(indices.SelectMany(batch => batch), Is.EquivalentTo(Enumerable.Range(0, 10)).And.Not.Ordered);
    }

    [Test]
    public void WithoutShuffleAndAugmentation_ImagesComeInOrder_AsTheyAre()
    {
        using SampleStore store = DrawnStore.Of(5);
        var loader = new BatchLoader(store, OneView, 2, AugmentationOptions.None);
        var seen = new List<int>();
        foreach (DetectionBatch batch in loader.Epoch(1, 0, shuffle: false))
        {
            using DetectionBatch _ = batch;
            for (int i = 0; i < batch.Count; i++)
            {
                int index = batch.Indices[i];
                seen.Add(index);
                Assert.That(batch.Annotations[i], Is.SameAs(store.AnnotationOf(index)));
                float[] expected = AntialiasedResize.Resize(store.Read(index), OneView[0]);
                Assert.That(batch.Views[0][i].data<float>().ToArray(), Is.EqualTo(expected));
            }
        }

        Assert.That(seen, Is.Ordered.And.Count.EqualTo(5));
    }

    [Test]
    public void AllViews_ShowTheSameVariation()
    {
        using SampleStore store = DrawnStore.Of(20);
        var loader = new BatchLoader(store, [OneView[0], OneView[0]], 20, new AugmentationOptions());
        using DetectionBatch batch = loader.Epoch(5, 0, false).Single();
        Assert.That(batch.Views[0].bytes.SequenceEqual(batch.Views[1].bytes));
    }

    [Test]
    public void Colours_AreTheSame_AtEverySize()
    {
        using var builder = new SampleStoreBuilder(["cat"], long.MaxValue);
        builder.Add(DrawnImages.Plain(64, 48, 200, 120, 40), Annotation.Empty);
        using SampleStore store = builder.Build();
        var loader = new BatchLoader(store, [new(64, 48), new(16, 12)], 1, new AugmentationOptions { ScaleJitter = 0 });
        using DetectionBatch batch = loader.Epoch(5, 0, false).Single();
        float[] large = [.. batch.Views[0].mean([0, 2, 3]).data<float>()];
        float[] small = [.. batch.Views[1].mean([0, 2, 3]).data<float>()];
        Assert.That(large, Is.EqualTo(small).Within(1e-5));
        Assert.That(large[0], Is.Not.EqualTo(200 / 255f).Within(1e-4));
    }

    [Test]
    public void Load_TakesImagesAsTheyAre()
    {
        using SampleStore store = DrawnStore.Of(5);
        using DetectionBatch batch = BatchLoader.Load(store, [4, 2], new ImageSize(8, 6), new ImageSize(4, 4));
        Assert.That(batch.Indices, Is.EqualTo(new[] { 4, 2 }));
        Assert.That(batch.Views.Select(view => view.shape[3]), Is.EqualTo(new long[] { 8, 4 }));
        Assert.That(batch.Annotations[1], Is.SameAs(store.AnnotationOf(2)));
    }

    [Test]
    public void Error_InAWorker_ReachesTheConsumer()
    {
        using var broken = new BrokenDataset(DrawnStore.Of(12), brokenIndex: 9);
        var loader = new BatchLoader(broken, OneView, 2, AugmentationOptions.None, workers: 3);
        int batches = 0;
        IOException? error = Assert.Throws<IOException>(() =>
        {
            foreach (DetectionBatch batch in loader.Epoch(1, 0, shuffle: false))
            {
                batch.Dispose();
                batches++;
            }
        });
        Assert.That(error!.Message, Is.EqualTo("image 9"));
        Assert.That(batches, Is.EqualTo(4));
    }

    [Test]
    public void Breaking_StopsTheWorkers_AndKeepsWhatWasTaken()
    {
        using var counting = new BrokenDataset(DrawnStore.Of(200), brokenIndex: -1);
        var loader = new BatchLoader(counting, OneView, 1, AugmentationOptions.None, prefetchBytes: 4 * 3 * 4 * 120, workers: 2);
        using DetectionBatch first = loader.Epoch(1, 0, shuffle: false).First();
        int reads = counting.Reads;
        Thread.Sleep(50);
        Assert.That(counting.Reads, Is.EqualTo(reads));
        Assert.That(reads, Is.LessThanOrEqualTo(6));
        Assert.That(first.Views[0].sum().ToSingle(), Is.GreaterThan(0));
    }

    [Test]
    public void Workers_RunAhead_NoFurtherThanTheMemoryBound()
    {
        using var counting = new BrokenDataset(DrawnStore.Of(50), brokenIndex: -1);
        const int BatchBytes = 2 * 3 * 4 * 120;
        var loader = new BatchLoader(counting, OneView, 2, AugmentationOptions.None, prefetchBytes: 3 * BatchBytes, workers: 8);
        int taken = 0;
        foreach (DetectionBatch batch in loader.Epoch(1, 0, shuffle: false))
        {
            batch.Dispose();
            taken++;
            Thread.Sleep(2);
            Assert.That(counting.Reads, Is.LessThanOrEqualTo(2 * (taken + 3)));
        }
    }

    [Test]
    public void Cancellation_EndsTheEpoch()
    {
        using SampleStore store = DrawnStore.Of(50);
        using var cancellation = new CancellationTokenSource();
        var loader = new BatchLoader(store, OneView, 1, AugmentationOptions.None);
        Assert.That(() =>
        {
            foreach (DetectionBatch batch in loader.Epoch(1, 0, shuffle: false, cancellation.Token))
            {
                batch.Dispose();
                cancellation.Cancel();
            }
        }, Throws.InstanceOf<OperationCanceledException>());
    }

    [Test]
    public void DataSet_LargerThanItsCache_LoadsTheSameBatches()
    {
        using SampleStore inMemory = DrawnStore.Of(12);
        using SampleStore spilled = DrawnStore.Of(12, cacheBytes: 2000);
        string expected = Contents(new BatchLoader(inMemory, OneView, 4, new AugmentationOptions()).Epoch(1, 0, true));
        Assert.That(Contents(new BatchLoader(spilled, OneView, 4, new AugmentationOptions()).Epoch(1, 0, true)), Is.EqualTo(expected));
    }

    [Test]
    public void ImageThatIsLeftOut_HasTheNextOneInItsPlace_AndTheEpochItsLength()
    {
        using var folder = new TemporaryFolder();
        using SampleStore whole = SampleStoreTests.Files(folder, 9, new PixelBudget(0));
        int[][] expected = Order(whole, workers: 1);
        using SampleStore cut = SampleStoreTests.Files(folder, 9, new PixelBudget(0), new UnreadableSamples(InvalidSampleHandling.Skip));
        foreach (int index in (int[])[3, 4]) SampleStoreTests.Cut(folder.Sub($"{index}.png"));

        int[][] found = Order(cut, workers: 1);
        int[] before = [.. expected.SelectMany(batch => batch)], after = [.. found.SelectMany(batch => batch)];
        Assert.That(found.Select(batch => batch.Length), Is.EqualTo(expected.Select(batch => batch.Length)));
        for (int i = 0; i < before.Length; i++)
        {
            int next = i;
            while (before[next % 9] is 3 or 4) next++;
            Assert.That(after[i], Is.EqualTo(before[next % 9]));
        }

        string one = Contents(Loader(cut, 1).Epoch(1, 0, shuffle: true));
        Assert.That(Contents(Loader(cut, 4).Epoch(1, 0, shuffle: true)), Is.EqualTo(one));

        static BatchLoader Loader(SampleStore store, int workers)
            => new(store, OneView, 2, new AugmentationOptions(), workers: workers);

        static int[][] Order(SampleStore store, int workers) => [.. Loader(store, workers).Epoch(1, 0, shuffle: true).Select(batch =>
        {
            using DetectionBatch _ = batch;
            return batch.Indices.ToArray();
        })];
    }

    [Test]
    public void InTheDataSetsOwnOrder_ImagesThatAreLeftOut_AreMissing()
    {
        using var folder = new TemporaryFolder();
        using SampleStore store = SampleStoreTests.Files(folder, 7, new PixelBudget(0), new UnreadableSamples(InvalidSampleHandling.Skip));
        foreach (int index in (int[])[1, 4, 5]) SampleStoreTests.Cut(folder.Sub($"{index}.png"));
        var seen = new List<int[]>();
        foreach (DetectionBatch batch in new BatchLoader(store, OneView, 2, AugmentationOptions.None).Epoch(1, 0, shuffle: false))
        {
            using DetectionBatch _ = batch;
            seen.Add([.. batch.Indices]);
            Assert.That(batch.Views[0].shape[0], Is.EqualTo(batch.Count));
            for (int i = 0; i < batch.Count; i++)
            {
                Assert.That(batch.Views[0][i].data<float>().ToArray(),
                    Is.EqualTo(AntialiasedResize.Resize(store.Read(batch.Indices[i]), OneView[0])));
            }
        }

        Assert.That(seen, Is.EqualTo(new int[][] { [0], [2, 3], [6] }));
    }

    [Test]
    public void DataSetOfWhichNothingCanBeRead_IsAnError_NotAnEndlessSearch()
    {
        using var folder = new TemporaryFolder();
        using SampleStore store = SampleStoreTests.Files(folder, 2, new PixelBudget(0), new UnreadableSamples(InvalidSampleHandling.Skip));
        foreach (int index in (int[])[0, 1]) SampleStoreTests.Cut(folder.Sub($"{index}.png"));
        Assert.That(() => new BatchLoader(store, OneView, 2, AugmentationOptions.None).Epoch(1, 0, shuffle: true).Count(),
            Throws.TypeOf<InvalidDataException>().With.Message.Contains("No image"));
    }

    [Test]
    public void EmptyDataSet_IsAnError()
    {
        using SampleStore store = DrawnStore.Of(0);
        Assert.That(() => new BatchLoader(store, OneView, 4, AugmentationOptions.None),
            Throws.ArgumentException.With.Message.Contains("empty"));
    }

    /// <summary>Everything in an epoch's batches, to be compared.</summary>
    private static string Contents(IEnumerable<DetectionBatch> batches)
    {
        var text = new System.Text.StringBuilder();
        foreach (DetectionBatch batch in batches)
        {
            text.AppendJoin(' ', batch.Indices).AppendLine();
            foreach (Annotation annotation in batch.Annotations) text
                .AppendJoin(' ', annotation.Boxes.Select(BitConverter.SingleToInt32Bits)).AppendLine();
            foreach (torch.Tensor view in batch.Views) text.Append(Convert.ToHexString(view.bytes)).AppendLine();
            batch.Dispose();
        }

        return text.ToString();
    }

    /// <summary>Counts what is read, and fails on one image.</summary>
    private sealed class BrokenDataset(SampleStore store, int brokenIndex) : IDetectionDataset
    {
        private int _reads;

        public int Reads => Volatile.Read(ref _reads);

        public int Count => store.Count;

        public IReadOnlyList<string> ClassNames => store.ClassNames;

        public ImageSize SizeOf(int index) => store.SizeOf(index);

        public Annotation AnnotationOf(int index) => store.AnnotationOf(index);

        public RgbImage? TryRead(int index)
        {
            Interlocked.Increment(ref _reads);
            return index == brokenIndex ? throw new IOException($"image {index}") : store.Read(index);
        }

        public void Dispose() => store.Dispose();
    }
}
