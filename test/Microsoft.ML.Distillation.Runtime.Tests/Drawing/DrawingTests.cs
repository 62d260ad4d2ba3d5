using Microsoft.ML.Data;
using Microsoft.ML.Distillation.Drawing;

namespace Microsoft.ML.Distillation.Tests.Drawing;

public class DrawingTests
{
    [Test]
    public void Font_HasAGlyphOfItsOwn_ForEveryPrintableCharacter()
    {
        string[] glyphs = [.. Enumerable.Range(' ', '~' - ' ' + 1).Select(c => Render((char)c))];
        Assert.That(glyphs, Is.Unique);
        Assert.That(Render('ß'), Is.EqualTo(Render('?')));
        Assert.That(Render('T'), Does.StartWith("#####..#....#.."));
    }

    [Test]
    public void Picture_IsReadAsItWasSaved()
    {
        using var folder = new TemporaryFolder();
        var picture = new Picture(7, 5);
        picture[6, 4] = new Color(1, 2, 3);
        picture.Fill(-3, -3, 5, 4, Color.White);
        picture.Save(folder.Sub("new/picture.png"));
        using MLImage image = MLImage.CreateFromFile(folder.Sub("new/picture.png"));
        var read = Picture.Of(image);
        Assert.That((read.Width, read.Height), Is.EqualTo((7, 5)));
        Assert.That(read[6, 4], Is.EqualTo(new Color(1, 2, 3)));
        Assert.That(read[1, 0], Is.EqualTo(Color.White));
        Assert.That(read[2, 0], Is.EqualTo(Color.Black));
        Assert.That(Directory.GetFiles(folder.Sub("new")), Has.Length.EqualTo(1), "no temporary file stays");
    }

    [Test]
    public void Boxes_BeyondTheEdges_AreDrawnAsFarAsTheyAreInside()
    {
        var picture = new Picture(30, 30);
        DetectionPainter.Draw(picture, [-10, 15, 100, 1000], 0, "name", .5f);
        DetectionPainter.Draw(picture, [float.NaN, float.NegativeInfinity, 5, float.PositiveInfinity], 1, "", null);
        Assert.That(picture[29, 29], Is.EqualTo(DetectionPainter.ColorOf(0)));
        Assert.That(picture[0, 29], Is.EqualTo(DetectionPainter.ColorOf(1)));
    }

    private static string Render(char character) => string.Concat(
        from row in Enumerable.Range(0, BitmapFont.Height)
        from column in Enumerable.Range(0, BitmapFont.Width)
        select BitmapFont.IsSet(character, column, row) ? '#' : '.');
}
