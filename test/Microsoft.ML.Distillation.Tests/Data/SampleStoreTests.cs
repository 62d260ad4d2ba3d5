using Microsoft.ML.Distillation.Data;
using Microsoft.ML.Distillation.Images;
using Microsoft.ML.Distillation.Rows;

namespace Microsoft.ML.Distillation.Tests.Data;

public class SampleStoreTests
{
    [TestCase(0, 10)]
    [TestCase(5000, 6)]
    [TestCase(long.MaxValue, 0)]
    public void Images_BeyondTheLimit_ComeBackUnchanged(long cacheBytes, int spilled)
    {
        using SampleStore store = DrawnStore.Of(10, cacheBytes);
        Assert.That(store.SpilledCount, Is.EqualTo(spilled));
        Parallel.For(0, 100, i =>
        {
            RgbImage image = store.Read(i % 10);
            Assert.That(image.Pixels, Is.EqualTo(DrawnImages.Noise(20 + i % 10, 16, i % 10).Pixels));
            Assert.That(store.SizeOf(i % 10), Is.EqualTo(new ImageSize(20 + i % 10, 16)));
        });
    }

    [Test]
    public void TemporaryFile_IsGone_AfterDispose()
    {
        using var folder = new TemporaryFolder();
        using (var builder = new SampleStoreBuilder(["cat"], 0, folder.Path))
        {
            builder.Add(DrawnImages.Noise(8, 8), Annotation.Empty);
            using SampleStore store = builder.Build();
            Assert.That(store.Read(0).Pixels, Has.Length.EqualTo(192));
        }

        Assert.That(Directory.EnumerateFileSystemEntries(folder.Path), Is.Empty);
    }

    [Test]
    public void TemporaryFile_HasALimit()
    {
        using var folder = new TemporaryFolder();
        using var file = new SpillFile(folder.Path, limit: 10);
        file.Append([1, 2, 3]);
        Assert.That(() => file.Append(new byte[8]), Throws.TypeOf<IOException>().With.Message.Contains(folder.Path));
        Assert.That(file.Append(new byte[7]), Is.EqualTo(3));
    }

    [Test]
    public void TemporaryFolderThatIsNotThere_IsAnErrorThatSaysWhatToDo()
    {
        using var folder = new TemporaryFolder();
        using var builder = new SampleStoreBuilder(["cat"], 0, folder.Sub("none"));
        Assert.That(() => builder.Add(DrawnImages.Noise(8, 8), Annotation.Empty), Throws.TypeOf<IOException>().With.Message
            .Contains("none").And.Message.Contains("TemporaryFolder").And.Message.Contains("LoadUprightImages"));
    }

    [TestCase(0, 0)]
    [TestCase(2 * 3 * 20 * 16, 2)]
    [TestCase(long.MaxValue, 6)]
    public void ImagesInFiles_AreDecodedWhenTheyAreDue_AndStayWhileThereIsRoom(long cacheBytes, int cached)
    {
        using var folder = new TemporaryFolder();
        using SampleStore store = Files(folder, 6, new PixelBudget(cacheBytes));
        Assert.That(store.CachedCount, Is.Zero);
        Parallel.For(0, 60, i => Assert.That(store.Read(i % 6).Pixels, Is.EqualTo(DrawnImages.Noise(20, 16, i % 6).Pixels)));
        Assert.That(store.CachedCount, Is.EqualTo(cached));
    }

    [Test]
    public void DataSets_ShareTheirMemory()
    {
        using var folder = new TemporaryFolder();
        var budget = new PixelBudget(5 * 3 * 20 * 16);
        using SampleStore one = Files(folder, 3, budget), other = Files(folder, 3, budget);
        for (int i = 0; i < 3; i++) (_, _) = (one.Read(i), other.Read(i));
        Assert.That(one.CachedCount + other.CachedCount, Is.EqualTo(5));
    }

    [Test]
    public void FileThatWasCutSince_IsAnError_OrLeftOutAndCounted()
    {
        using var folder = new TemporaryFolder();
        using SampleStore strict = Files(folder, 4, new PixelBudget(0));
        var warnings = new List<string>();
        SampleStore skipping = Files(
            folder, 4, new PixelBudget(0), new UnreadableSamples(InvalidSampleHandling.Skip, warnings.Add));
        Cut(folder.Sub("1.png"));
        File.Delete(folder.Sub("2.png"));
        for (int time = 0; time < 2; time++) Assert.That(() => strict.TryRead(1), Throws.TypeOf<InvalidDataException>().With.Message
            .StartsWith($"Row 1 ('{folder.Sub("1.png")}'), column 'Image': the image cannot be read").And.Message.Contains("Skip"));
        Assert.That(() => strict.TryRead(2), Throws.TypeOf<InvalidDataException>().With.Message.Contains("the file does not exist"));

        for (int time = 0; time < 2; time++)
            Assert.That(Enumerable.Range(0, 4).Select(i => skipping.TryRead(i) is null), Is.EqualTo(new[] { false, true, true, false }));
        skipping.Dispose();
        Assert.That(warnings, Has.Count.EqualTo(2));
        Assert.That(warnings[0], Does.StartWith("Invalid samples: 1 image left out. The first: Row 1 "));
        Assert.That(warnings[1], Does.StartWith("Invalid samples: 2 images left out. The first: Row 1 "));
    }

    [Test]
    public void FileThatIsAnotherOneSince_IsAnError()
    {
        using var folder = new TemporaryFolder();
        using SampleStore store = Files(folder, 1, new PixelBudget(0));
        DrawnImages.Save(DrawnImages.Noise(24, 16), folder.Sub("0.png"));
        Assert.That(() => store.TryRead(0), Throws.TypeOf<InvalidDataException>().With.Message
            .Contains("another one than at first: it had 20×16 pixels and has 24×16 now"));
    }

    [Test]
    public void Add_RefusesWhatDoesNotFit()
    {
        using var builder = new SampleStoreBuilder(["cat"], 0);
        RgbImage image = DrawnImages.Noise(8, 8);
        Assert.That(() => builder.Add(image with { Width = 9 }, Annotation.Empty), Throws.ArgumentException);
        Assert.That(() => builder.Add(image, new Annotation([0, 0, 1], [0])), Throws.ArgumentException);
        Assert.That(() => builder.Add(image, new Annotation([0, 0, 1, 1], [1])), Throws.ArgumentException.With.Message.Contains("label 1"));
    }

    /// <summary>A data set of images of noise in files, 0.png and so on.</summary>
    internal static SampleStore Files(TemporaryFolder folder, int count, PixelBudget budget, UnreadableSamples? unreadable = null)
    {
        var builder = new SampleStoreBuilder(["cat"], budget, unreadable: unreadable);
        var rows = new ImageRows("Image", null, UprightColumn.OfFullPaths);
        for (int i = 0; i < count; i++)
        {
            string path = folder.Sub($"{i}.png");
            if (!File.Exists(path)) DrawnImages.Save(DrawnImages.Noise(20, 16, i), path);
            builder.Add(new ImageRow(rows, i, path, path), new ImageSize(20, 16), new Annotation([0.1f, 0.1f, 0.4f, 0.2f + i * 0.1f], [0]));
        }

        return builder.Build();
    }

    /// <summary>Takes a part of a file away.</summary>
    internal static void Cut(string path) => File.WriteAllBytes(path, File.ReadAllBytes(path)[..^100]);
}
