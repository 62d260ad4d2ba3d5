using Microsoft.ML.Data;
using Microsoft.ML.Distillation.Drawing;

namespace Microsoft.ML.Distillation.Tests.Drawing;

public class DrawingTests
{
    [Test]
    public void Letters_OfManyScripts_EachLookLikeThemselves()
    {
        const string letters = "AÄÅBЖЯБαβΩאבبتքღ?!#0O";
        string missing = Render("\u4E2D");
        string[] drawn = [.. letters.Select(letter => Render(letter.ToString()))];
        Assert.That(drawn, Is.Unique);
        Assert.That(drawn, Has.None.EqualTo(missing).And.None.EqualTo(Render("")));
        Assert.That(
            Render("A\u0308"), Is.Not.EqualTo(Render("A")).And.Not.EqualTo(Render("A\u4E2D")), "a letter and its accent may come apart");
    }

    [TestCase("\u4E2D", TestName = "Chinese")]
    [TestCase("\uD83E\uDDA9", TestName = "emoji")]
    [TestCase("\uD800", TestName = "half a character")]
    [TestCase("\u0001", TestName = "control character")]
    public void WhatTheFontLacks_IsSeen(string text) => Assert.That(Render(text), Is.Not.EqualTo(Render("")));

    [Test]
    public void Names_WrittenFromRightToLeft_AreDrawnSo()
        => Assert.That(LeftPart(Render("אב cat")), Is.EqualTo(LeftPart(Render("ב"))));

    [TestCase("a", 100, "a")]
    [TestCase("a long name of a class", 60, "a long…")]
    [TestCase("a long name", 0, "…")]
    [TestCase("", 0, "")]
    public void Text_WiderThanItsRoom_IsShortened(string text, float width, string expected)
    {
        string fitted = Lettering.Fit(text, 12, width);
        Assert.That(fitted, Is.EqualTo(expected));
        Assert.That(Lettering.WidthOf(fitted, 12), Is.LessThanOrEqualTo(Math.Max(width, Lettering.WidthOf("…", 12))));
    }

    [Test]
    public void Labels_StayInThePicture_WithNameAndScore()
    {
        foreach ((float x, float y) in ((float, float)[])[(0, 0), (180, 0), (0, 130), (180, 130), (90, 60)])
        {
            var picture = new Picture(200, 150);
            DetectionPainter.Draw(picture, [new DrawnBox(x, y, x + 20, y + 20, 0, "Ärger", .5f)]);
            var alone = new Picture(400, 350);
            DetectionPainter.Draw(alone, [new DrawnBox(190, 160, 210, 180, 0, "Ärger", .5f)]);
            Assert.That(Ink(picture), Is.EqualTo(Ink(alone)), $"({x}, {y}) as many dark and bright pixels as where there is room");
        }

        static int Ink(Picture picture)
            => Enumerable.Range(0, picture.Width * picture.Height).Count(i => picture[i % picture.Width, i / picture.Width] == Color.White);
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
        DetectionPainter.Draw(picture,
        [
            new DrawnBox(float.NaN, float.NegativeInfinity, 5, float.PositiveInfinity, 1, ""),
            new DrawnBox(-10, 15, 100, 1000, 0, "name", .5f),
        ]);
        Assert.That(picture[29, 29], Is.EqualTo(DetectionPainter.ColorOf(0)));
        Assert.That(picture[0, 29], Is.EqualTo(DetectionPainter.ColorOf(1)));
    }

    /// <summary>The columns of one letter.</summary>
    private static string LeftPart(string picture)
        => string.Concat(picture.Chunk(40).SelectMany(row => row.Take((int)Lettering.WidthOf("ב", 20))));

    private static string Render(string text)
    {
        var picture = new Picture(40, 30);
        picture.Write(2, 2, text, 20, Color.White);
        return string.Concat(Enumerable.Range(0, 40 * picture.Height).Select(i => (char)('0' + picture[i % 40, i / 40].Red / 32)));
    }
}
