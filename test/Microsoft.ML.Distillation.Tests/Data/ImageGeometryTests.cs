using Microsoft.ML.Distillation.Data;
using Microsoft.ML.Distillation.Detectors.Backbones;
using Microsoft.ML.Distillation.Images;
using Microsoft.ML.Distillation.Rows;

namespace Microsoft.ML.Distillation.Tests.Data;

public class ImageGeometryTests
{
    private static readonly Annotation TwoObjects = new([0.1f, 0.2f, 0.3f, 0.6f, 0.5f, 0.5f, 0.9f, 0.7f], [3, 1]);

    [Test]
    public void Identity_LeavesBoxes_AsTheyAre()
        => Assert.That(ImageGeometry.Identity.Apply(TwoObjects), Is.SameAs(TwoObjects));

    [Test]
    public void Mirror_ExchangesLeftAndRight()
    {
        Annotation mirrored = (ImageGeometry.Identity with { Mirror = true }).Apply(TwoObjects);
        Assert.That(mirrored.Boxes, Is.EqualTo(new[] { 0.7f, 0.2f, 0.9f, 0.6f, 0.1f, 0.5f, 0.5f, 0.7f }).Within(1e-6));
        Assert.That(mirrored.Labels, Is.EqualTo(new[] { 3, 1 }));
    }

    [Test]
    public void Crop_ClipsABox_AndDropsOneWhoseCentreLeaves()
    {
        // The left upper part, .5 by .5: of the first box .2..0.5 remains of .2..0.6, the second one's centre (.7, .6) is gone.
        Annotation cropped = new ImageGeometry(0, 0, 0.5f, 0.5f, false).Apply(TwoObjects);
        Assert.That(cropped.Boxes, Is.EqualTo(new[] { 0.2f, 0.4f, 0.6f, 1f }).Within(1e-6));
        Assert.That(cropped.Labels, Is.EqualTo(new[] { 3 }));
    }

    [Test]
    public void CropAndMirror_GoTogether()
    {
        // x: (.5 - .4) / .5 = .2 and (.9 - .4) / .5 = 1; mirrored 0 and .8.
        Annotation cropped = new ImageGeometry(0.4f, 0.4f, 0.5f, 0.5f, true).Apply(TwoObjects);
        Assert.That(cropped.Boxes, Is.EqualTo(new[] { 0f, 0.2f, 0.8f, 0.6f }).Within(1e-6));
        Assert.That(cropped.Labels, Is.EqualTo(new[] { 1 }));
    }

    [Test]
    public void LargerRegion_ShrinksBoxes()
    {
        Annotation shrunk = new ImageGeometry(-0.5f, -1, 2, 2, false).Apply(TwoObjects);
        Assert.That(shrunk.Boxes.Take(4), Is.EqualTo(new[] { 0.3f, 0.6f, 0.4f, 0.8f }).Within(1e-6));
    }

    [Test]
    public void Region_IsInPixelsOfTheImage()
        => Assert.That(new ImageGeometry(0.25f, 0.5f, 0.5f, 0.25f, false).Region(new ImageSize(200, 100)),
            Is.EqualTo(new CropRegion(50, 50, 100, 25)));

    [Test]
    public void Boxes_StayOnTheirObject_UnderEveryAugmentation()
    {
        // A white object on black: wherever the augmentation moves it, its box must be where the white pixels are.
        var image = DrawnImages.Plain(100, 80, 0, 0, 0);
        for (int y = 24; y < 56; y++) Array.Fill<byte>(image.Pixels, 255, 3 * (100 * y + 30), 3 * 25);
        var annotation = new Annotation([0.30f, 0.30f, 0.55f, 0.70f], [0]);
        AugmentationOptions flipped = new() { HorizontalFlip = true, ScaleJitter = 0.4f, ColorJitter = 0 };
        AugmentationOptions[] all = [
            flipped, flipped with { VerticalFlip = true }, flipped with { QuarterTurns = true, StretchJitter = 0.3f },
        ];
        for (int i = 0; i < 150; i++)
        {
            AugmentationOptions options = all[i % 3];
            Augmentation augmentation = Augmentation.Draw(options, annotation, new ImageSize(100, 80), SampleRandom.For(1, 0, i),
                SampleRandom.FurtherFor(1, 0, i));
            var planes = new float[3 * 200 * 160];
            augmentation.Geometry.Draw(image, new ImageSize(200, 160), planes);
            float[] box = augmentation.Geometry.Apply(annotation).Boxes;
            Assert.That(WhiteBox(planes, 200, 160), Is.EqualTo(new[] { 200 * box[0], 160 * box[1], 200 * box[2], 160 * box[3] })
                .Within(1.01), $"draw {i}");
        }
    }

    /// <summary>What lies at (x, y) of a picture of 2 × 1 is red then green; each of the eight ways has its own corners.</summary>
    [Test]
    public void TheEightWaysToTurn_AreTheSquares()
    {
        // a b
        // c d
        var image = new RgbImage(2, 2, [10, 0, 0, 20, 0, 0, 30, 0, 0, 40, 0, 0]);
        Dictionary<(bool Transpose, bool Mirror, bool Flip), int[]> expected = new()
        {
            [(false, false, false)] = [10, 20, 30, 40],
            [(false, true, false)] = [20, 10, 40, 30],
            [(false, false, true)] = [30, 40, 10, 20],
            [(false, true, true)] = [40, 30, 20, 10],
            [(true, false, false)] = [10, 30, 20, 40],
            [(true, true, false)] = [30, 10, 40, 20],
            [(true, false, true)] = [20, 40, 10, 30],
            [(true, true, true)] = [40, 20, 30, 10],
        };
        foreach (((bool transpose, bool mirror, bool flip), int[] corners) in expected)
        {
            ImageGeometry geometry = ImageGeometry.Identity with { Transpose = transpose, Mirror = mirror, Flip = flip };
            var planes = new float[12];
            geometry.Draw(image, new ImageSize(2, 2), planes);
            Assert.That(planes.Take(4).Select(value => (int)MathF.Round(255 * value)), Is.EqualTo(corners), $"{geometry}");

            // The object that is d alone, and the side of it that was the left one.
            float[] box = geometry.Apply(new Annotation([.5f, .5f, 1, 1], [0])).Boxes;
            int at = Array.IndexOf(corners, 40);
            Assert.That(box, Is.EqualTo(new[] { at % 2 * .5f, at / 2 * .5f, at % 2 * .5f + .5f, at / 2 * .5f + .5f }));
            for (int side = 0; side < 4; side++)
            {
                float[] before = [.5f, .5f, 1, 1];
                Assert.That(geometry.Through(before[geometry.SideBefore(side)], horizontal: side % 2 == 0), Is.EqualTo(box[side]));
            }
        }
    }

    [Test]
    public void ATurnedImage_KeepsTheShapeOfItsPixels()
    {
        // A square object in an image of 100 × 80, shown at the image's own proportions.
        var annotation = new Annotation([.4f, .4f, .6f, .65f], [0]);
        var options = AugmentationOptions.None with { QuarterTurns = true };
        Augmentation[] draws = [.. Enumerable.Range(0, 64).Select(i => Augmentation.Draw(
            options, annotation, new ImageSize(100, 80), SampleRandom.For(3, 0, i), SampleRandom.FurtherFor(3, 0, i)))];
        Assert.That(draws.Select(draw => (draw.Geometry.Transpose, draw.Geometry.Mirror, draw.Geometry.Flip)).Distinct().Count(),
            Is.EqualTo(8));
        foreach (Augmentation draw in draws)
        {
            float[] box = draw.Geometry.Apply(annotation).Boxes;
            Assert.That((100 * (box[2] - box[0]), 80 * (box[3] - box[1])), Is.EqualTo((20f, 20f)).Using<(float, float)>(
                (a, b) => Math.Abs(a.Item1 - b.Item1) < 1e-3 && Math.Abs(a.Item2 - b.Item2) < 1e-3));
        }
    }

    private static float[] WhiteBox(float[] planes, int width, int height)
    {
        float[] box = [width, height, 0, 0];
        for (int i = 0; i < width * height; i++)
        {
            if (planes[i] < 0.5f || planes[i] == AntialiasedResize.PadColor.X) continue;
            box = [Math.Min(box[0], i % width), Math.Min(box[1], i / width), Math.Max(box[2], i % width + 1),
                Math.Max(box[3], i / width + 1)];
        }

        return box;
    }
}
