using Microsoft.ML.Distillation.Rows;
using Microsoft.ML.Distillation.Teachers.Labelling;

namespace Microsoft.ML.Distillation.Tests.Teachers.Labelling;

public class ViewTilesTests
{
    [TestCase(0.5, 1)]
    [TestCase(1, 1)]
    [TestCase(1.25, 4)]
    [TestCase(1.75, 4)]
    [TestCase(2, 9)]
    [TestCase(2.5, 9)]
    public void Parts_CoverTheImage_AndOverlap(double scale, int parts)
    {
        IReadOnlyList<ImageGeometry> tiles = ViewTiles.Of(new LabelTransform(scale));
        Assert.That(tiles, Has.Count.EqualTo(parts));
        Assert.That(tiles.Min(t => t.X), Is.LessThanOrEqualTo(0));
        Assert.That(tiles.Max(t => t.X + t.Width), Is.GreaterThanOrEqualTo(1 - 1e-6));
        float[] starts = [.. tiles.Select(t => t.X).Distinct().Order()];
        for (int i = 1; i < starts.Length; i++)
            Assert.That(starts[i - 1] + tiles[0].Width - starts[i], Is.GreaterThanOrEqualTo(0.25 * tiles[0].Width - 1e-6));
    }

    [Test]
    public void WhatIsSeenInAPart_ComesBackToItsPlace([Values(0.7, 1, 1.3, 2)] double scale, [Values] bool flip)
    {
        // In the middle of the image and small: uncut in every part that shows its centre.
        var truth = new Annotation([0.46f, 0.48f, 0.5f, 0.55f], [1]);
        int seen = 0;
        foreach (ImageGeometry part in ViewTiles.Of(new LabelTransform(scale, flip)))
        {
            Annotation shown = part.Apply(truth);
            if (shown.Count == 0) continue;
            Detections back = ViewTiles.Back(new Detections(shown.Boxes, [0.5f], shown.Labels), part);
            if (back.Count == 0) continue;
            seen++;
            Assert.That(back.Boxes, Is.EqualTo(truth.Boxes).AsCollection.Within(1e-6f));
            Assert.That((back.Labels[0], back.Scores[0]), Is.EqualTo((1, 0.5f)));
        }

        Assert.That(seen, Is.GreaterThan(0));
    }

    [Test]
    public void WhatAnInnerEdgeCuts_IsLeftOut_AndWhatTheImagesEdgeCutsStays()
    {
        ImageGeometry upperLeft = ViewTiles.Of(new LabelTransform(1.5))[0];
        var found = new Detections([0, 0, 0.3f, 0.3f, 0.7f, 0.2f, 1, 0.4f, 0.2f, 0.7f, 0.4f, 0.995f], [1, 1, 1], [0, 0, 0]);
        Detections back = ViewTiles.Back(found, upperLeft);
        Assert.That(back.Count, Is.EqualTo(1));
        Assert.That(back.Boxes, Is.EqualTo(new[] { 0, 0, 0.2f, 0.2f }).AsCollection.Within(1e-6f));

        ImageGeometry mirrored = ViewTiles.Of(new LabelTransform(1.5, Flip: true))[0];
        Assert.That(ViewTiles.Back(new Detections([0, 0.2f, 0.3f, 0.4f], [1], [0]), mirrored).Count, Is.Zero,
            "mirrored, the inner edge is on the left");
    }

    [Test]
    public void WhatLiesInTheFreeSides_IsLeftOut()
    {
        ImageGeometry shrunken = ViewTiles.Of(new LabelTransform(0.5))[0];
        Assert.That(ViewTiles.Back(new Detections([0, 0, 0.2f, 0.2f], [1], [0]), shrunken).Count, Is.Zero);
    }
}
