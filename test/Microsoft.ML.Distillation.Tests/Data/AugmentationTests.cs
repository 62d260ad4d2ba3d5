using Microsoft.ML.Distillation.Data;
using Microsoft.ML.Distillation.Images;
using Microsoft.ML.Distillation.Rows;

namespace Microsoft.ML.Distillation.Tests.Data;

public class AugmentationTests
{
    private static readonly Annotation Corner = new([0, 0, 0.1f, 0.1f], [0]);
    private static readonly ImageSize Size = new(40, 30);

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
            => Augmentation.Draw(
                new AugmentationOptions(), Corner, Size, SampleRandom.For(seed, epoch, index), SampleRandom.FurtherFor(seed, epoch, index));
        Augmentation first = Draw(1, 2, 3), again = Draw(1, 2, 3);
        Assert.That(again, Is.EqualTo(first));
        Assert.That(new[] { Draw(1, 2, 3), Draw(2, 2, 3), Draw(1, 3, 3), Draw(1, 2, 4), Draw(2, 1, 3) }, Is.Unique);
    }

    /// <summary>A run of before draws what it drew: what came later has numbers of its own.</summary>
    [Test]
    public void LaterVariations_LeaveTheEarlierOnesAsTheyAre()
    {
        var options = new AugmentationOptions();
        Augmentation[] before = Draws(options, Corner);
        foreach (AugmentationOptions more in new[]
            { options with { HueJitter = 0.1f }, options with { GrayscaleShare = 0.2f }, options with { Cutout = 0.4f } })
        {
            Assert.That(Draws(more, Corner).Select(draw => draw.Geometry), Is.EqualTo(before.Select(draw => draw.Geometry)));
            Assert.That(Draws(more, Corner).Select(draw => draw.Colors.Brightness), Is.EqualTo(before.Select(d => d.Colors.Brightness)));
            Assert.That(Draws(more, Corner), Is.Not.EqualTo(before));
        }
    }

    [Test]
    public void FurtherVariations_StayInTheirRanges()
    {
        var options = AugmentationOptions.None with { StretchJitter = 0.5f, HueJitter = 0.1f, GrayscaleShare = 0.25f, Cutout = 0.3f };
        Augmentation[] draws = Draws(options, Annotation.Empty, 1000);
        float[] ratios = [.. draws.Select(draw => draw.Geometry.Width / draw.Geometry.Height)];
        Assert.That(ratios, Is.All.InRange(1 / 1.5f - 1e-4f, 1.5f + 1e-4f));
        Assert.That(ratios.Count(ratio => ratio > 1), Is.InRange(440, 560));
        Assert.That(draws.Select(draw => draw.Geometry.Width * draw.Geometry.Height), Is.All.EqualTo(1).Within(1e-4));
        Assert.That(draws.Select(draw => draw.Colors.Hue), Is.All.InRange(-0.1f, 0.1f));
        Assert.That(draws.Count(draw => draw.Colors.Saturation == 0), Is.InRange(200, 300));
        Assert.That(draws.Select(draw => draw.Cutout!.Value.X1 - draw.Cutout.Value.X0), Is.All.InRange(0, 0.3f));
        Assert.That(draws.Select(draw => draw.Cutout!.Value).SelectMany(c => new[] { c.X0, c.Y0, c.X1, c.Y1 }), Is.All.InRange(0, 1));
    }

    [Test]
    public void Cutout_PaintsItsRectangleAlone()
    {
        var planes = new float[3 * 4 * 10];
        new Cutout(0.2f, 0.5f, 0.5f, 1).Apply(planes, new ImageSize(10, 4));
        for (int i = 0; i < planes.Length; i++)
        {
            (int x, int y, int plane) = (i % 10, i / 10 % 4, i / 40);
            float expected = x is >= 2 and < 5 && y >= 2 ? AntialiasedResize.PadColor[plane] : 0;
            Assert.That(planes[i], Is.EqualTo(expected), $"({x}, {y})");
        }
    }

    [TestCase(nameof(AugmentationOptions.StretchJitter))]
    [TestCase(nameof(AugmentationOptions.HueJitter))]
    [TestCase(nameof(AugmentationOptions.GrayscaleShare))]
    [TestCase(nameof(AugmentationOptions.Cutout))]
    public void FurtherRanges_AreChecked(string option)
    {
        foreach (float value in new[] { -0.1f, 1.1f, float.NaN })
        {
            var options = new AugmentationOptions();
            typeof(AugmentationOptions).GetProperty(option)!.SetValue(options, value);
            Assert.That(options.Validate, Throws.TypeOf<ArgumentOutOfRangeException>().With.Message.Contains(option));
        }
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
        => [.. Enumerable.Range(0, count).Select(i => Augmentation.Draw(
            options, annotation, Size, SampleRandom.For(7, 0, i), SampleRandom.FurtherFor(7, 0, i)))];
}
