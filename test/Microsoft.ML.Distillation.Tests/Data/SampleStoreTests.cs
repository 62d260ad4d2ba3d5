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
    public void Add_RefusesWhatDoesNotFit()
    {
        using var builder = new SampleStoreBuilder(["cat"], 0);
        RgbImage image = DrawnImages.Noise(8, 8);
        Assert.That(() => builder.Add(image with { Width = 9 }, Annotation.Empty), Throws.ArgumentException);
        Assert.That(() => builder.Add(image, new Annotation([0, 0, 1], [0])), Throws.ArgumentException);
        Assert.That(() => builder.Add(image, new Annotation([0, 0, 1, 1], [1])), Throws.ArgumentException.With.Message.Contains("label 1"));
    }
}
