using Microsoft.ML.Distillation.Data;
using Microsoft.ML.Distillation.Rows;

namespace Microsoft.ML.Distillation.Tests.Data;

public class AugmentationTests
{
    private static readonly Annotation Corner = new([0, 0, 0.1f, 0.1f], [0]);

    [Test]
    public void None_DrawsTheIdentity()
        => Assert.That(Draws(AugmentationOptions.None, Corner), Is.All.EqualTo(Augmentation.Identity));

    [Test]
    public void Flip_HappensToHalfOfTheImages()
    {
        int mirrored = Draws(new AugmentationOptions(), Corner, 1000).Count(augmentation => augmentation.Geometry.Mirror);
        Assert.That(mirrored, Is.InRange(440, 560));
    }

    [Test]
    public void EachVariation_IsOffAlone()
    {
        var options = new AugmentationOptions();
        Assert.That(Draws(options with { HorizontalFlip = false }, Corner), Is.All.Matches<Augmentation>(a => !a.Geometry.Mirror));
        Assert.That(Draws(options with { ScaleJitter = 0 }, Corner),
            Is.All.Matches<Augmentation>(a => a.Geometry.Width == 1 && a.Geometry.X == 0));
        Assert.That(Draws(options with { ColorJitter = 0 }, Corner), Is.All.Matches<Augmentation>(a => a.Colors == ColorFactors.Identity));
    }

    [Test]
    public void Zoom_StaysInItsRange_AndInsideTheImageOrAroundIt()
    {
        foreach (Augmentation augmentation in Draws(new AugmentationOptions { ScaleJitter = 0.5f }, Annotation.Empty, 500))
        {
            ImageGeometry g = augmentation.Geometry;
            Assert.That(g.Width, Is.InRange(1 / 1.5f, 2).And.EqualTo(g.Height));
            float low = Math.Min(0, 1 - g.Width), high = Math.Max(0, 1 - g.Width);
            Assert.That(g.X, Is.InRange(low, high));
            Assert.That(g.Y, Is.InRange(low, high));
        }
    }

    [Test]
    public void Crop_KeepsAnObject_WhereThereIsOne()
        => Assert.That(
            Draws(new AugmentationOptions { ScaleJitter = 0.9f }, Corner, 500),
            Is.All.Matches<Augmentation>(augmentation => augmentation.Geometry.Apply(Corner).Count == 1));

    [Test]
    public void Draw_DependsOnSeedEpochAndImage_Alone()
    {
        Augmentation Draw(int seed, int epoch, int index)
            => Augmentation.Draw(new AugmentationOptions(), Corner, SampleRandom.For(seed, epoch, index));
        Augmentation first = Draw(1, 2, 3), again = Draw(1, 2, 3);
        Assert.That(again, Is.EqualTo(first));
        Assert.That(new[] { Draw(1, 2, 3), Draw(2, 2, 3), Draw(1, 3, 3), Draw(1, 2, 4), Draw(2, 1, 3) }, Is.Unique);
    }

    [TestCase(-0.1f)]
    [TestCase(1f)]
    [TestCase(float.NaN)]
    public void ScaleJitter_OutOfRange_IsNamed(float value)
        => Assert.That(
            () => new AugmentationOptions { ScaleJitter = value }.Validate(),
            Throws.TypeOf<ArgumentOutOfRangeException>().With.Message.Contains("ScaleJitter"));

    [TestCase(-0.1f)]
    [TestCase(1.1f)]
    public void ColorJitter_OutOfRange_IsNamed(float value)
        => Assert.That(
            () => new AugmentationOptions { ColorJitter = value }.Validate(),
            Throws.TypeOf<ArgumentOutOfRangeException>().With.Message.Contains("ColorJitter"));

    private static Augmentation[] Draws(AugmentationOptions options, Annotation annotation, int count = 100)
        => [.. Enumerable.Range(0, count).Select(i => Augmentation.Draw(options, annotation, SampleRandom.For(7, 0, i)))];
}
