using Microsoft.ML.Distillation.Data;
using Microsoft.ML.Distillation.Images;
using Microsoft.ML.Distillation.Rows;
using Microsoft.ML.Distillation.Teachers;
using Microsoft.ML.Distillation.Tool.Labelling;
using Microsoft.ML.Distillation.Tool.Models;
using static TorchSharp.torch;

namespace Microsoft.ML.Distillation.Tests.Tool.Labelling;

public class LabellingJobTests
{
    [Test]
    public void Memory_HoldsAFewImages_HoweverManyThereAre()
    {
        const int Count = 150, Side = 800, ImageBytes = 3 * Side * Side;
        using var folder = new TemporaryFolder();
        string first = folder.Sub("images/0000.png");
        DrawnImages.Save(new RgbImage(Side, Side, new byte[ImageBytes]), first);
        for (int i = 1; i < Count; i++) File.Copy(first, folder.Sub($"images/{i:0000}.png"));

        long before = GC.GetTotalMemory(forceFullCollection: true), most = 0;
        var teacher = new Watcher(() => most = Math.Max(most, GC.GetTotalMemory(forceFullCollection: true) - before));
        var images = new ImageList(folder.Sub("images"));
        var options = new EnsembleOptions { Transforms = [new LabelTransform(1, false)] };
        long done = new LabellingJob(images, folder.Sub("shards"), new ShardHeader(1, 1, [], ["thing"], [1]))
            .Run(() => new TeacherLabeller(teacher, ["thing"], options), workers: 2, report: null, CancellationToken.None);

        Assert.That((done, teacher.Looks), Is.EqualTo(((long)Count, Count)));
        Assert.That(most, Is.GreaterThan(ImageBytes), "at least the image that is looked at");
        Assert.That(most, Is.LessThan(20L * ImageBytes), "and not all 150, or the 64 whose names are taken at once");
    }

    /// <summary>A teacher that finds nothing, and says when it is asked.</summary>
    private sealed class Watcher(Action asked) : ITeacher
    {
        public int Looks { get; private set; }

        public ImageSize InputSize => new(32, 32);

        public TeacherAbilities Abilities => ShownImages.PlainAbilities;

        public ITeacherView View(DetectionBatch batch) => throw new NotSupportedException();

        public IReadOnlyList<Detections> Detect(Tensor images, IReadOnlyList<ImageSize> sizes)
        {
            if (++Looks % 10 == 0) asked();
            return [new Detections([], [], [])];
        }

        public void Dispose()
        {
        }
    }
}
