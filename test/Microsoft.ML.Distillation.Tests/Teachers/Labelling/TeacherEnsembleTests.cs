using Microsoft.ML.Distillation.Data;
using Microsoft.ML.Distillation.Images;
using Microsoft.ML.Distillation.Rows;
using Microsoft.ML.Distillation.Teachers;
using Microsoft.ML.Distillation.Teachers.Labelling;
using static TorchSharp.torch;

namespace Microsoft.ML.Distillation.Tests.Teachers.Labelling;

public class TeacherEnsembleTests
{
    [TestCase(1, false)]
    [TestCase(1, true)]
    [TestCase(0.6, true)]
    [TestCase(1.5, false)]
    [TestCase(2, true)]
    public void AnObject_IsFoundInItsPlace_UnderEveryTransform(double scale, bool flip)
    {
        using var teacher = new BrightSpot();
        var ensemble = new TeacherEnsemble(teacher, new EnsembleOptions { Transforms = [new LabelTransform(scale, flip)] });
        Detections found = ensemble.Detect(Spot(160, 120, 40, 30, 64, 54));
        Assert.That(found.Count, Is.EqualTo(1));
        Assert.That(found.Boxes, Is.EqualTo(new[] { 40f / 160, 30f / 120, 64f / 160, 54f / 120 }).AsCollection.Within(0.02f));
    }

    [Test]
    public void ManyTransforms_GiveOneObject()
    {
        using var teacher = new BrightSpot();
        var ensemble = new TeacherEnsemble(teacher, new EnsembleOptions());
        Assert.That(ensemble.Looks, Is.EqualTo(12));
        Detections found = ensemble.Detect(Spot(160, 120, 100, 70, 130, 100));
        Assert.That(found.Count, Is.EqualTo(1));
        Assert.That(found.Boxes, Is.EqualTo(new[] { 100f / 160, 70f / 120, 130f / 160, 100f / 120 }).AsCollection.Within(0.01f));
    }

    [Test]
    public void ImpossibleOptions_AreNamed()
    {
        Assert.That(() => new EnsembleOptions { Transforms = [] }.Validate(), Throws.ArgumentException.With.Message.Contains("Transforms"));
        Assert.That(() => new EnsembleOptions { Transforms = [new LabelTransform(0)] }.Validate(),
            Throws.InstanceOf<ArgumentException>().With.Message.Contains("Scale"));
        Assert.That(() => new EnsembleOptions { VotingOverlap = 2 }.Validate(),
            Throws.InstanceOf<ArgumentException>().With.Message.Contains("VotingOverlap"));
    }

    private static RgbImage Spot(int width, int height, int x0, int y0, int x1, int y1)
    {
        var pixels = new byte[3 * width * height];
        for (int y = y0; y < y1; y++) Array.Fill(pixels, byte.MaxValue, 3 * (y * width + x0), 3 * (x1 - x0));
        return new RgbImage(width, height, pixels);
    }

    /// <summary>Finds the bright pixels, as one object, where there are any.</summary>
    private sealed class BrightSpot : ITeacher
    {
        public ImageSize InputSize => new(128, 96);

        public TeacherAbilities Abilities => ShownImages.PlainAbilities;

        public ITeacherView View(DetectionBatch batch) => throw new NotSupportedException();

        public IReadOnlyList<Detections> Detect(Tensor images, IReadOnlyList<ImageSize> sizes)
            => [.. Enumerable.Range(0, (int)images.shape[0]).Select(i => Detect(images[i][0].contiguous().data<float>().ToArray()))];

        public void Dispose()
        {
        }

        private static Detections Detect(float[] red)
        {
            (int Y, int X)[] bright = [.. Enumerable.Range(0, red.Length).Where(i => red[i] > 0.75f).Select(i => Math.DivRem(i, 128))];
            return bright.Length == 0
                ? new Detections([], [], [])
                : new Detections(
                    [bright.Min(p => p.X) / 128f, bright.Min(p => p.Y) / 96f, (bright.Max(p => p.X) + 1) / 128f,
                        (bright.Max(p => p.Y) + 1) / 96f], [0.9f], [0]);
        }
    }
}
