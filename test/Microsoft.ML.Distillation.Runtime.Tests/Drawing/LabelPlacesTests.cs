using Microsoft.ML.Distillation.Drawing;

namespace Microsoft.ML.Distillation.Tests.Drawing;

public class LabelPlacesTests
{
    private static readonly string[] Names = ["cat", "traffic light", "a class with a name longer than most", "Ärger"];

    /// <summary>As many objects as a street has, many of them on each other.</summary>
    [Test]
    public void LabelsOfDetections_LieInThePicture_AndNotOnEachOther()
    {
        for (int seed = 0; seed < 200; seed++)
        {
            var random = new Random(seed);
            var picture = new Picture(random.Next(300, 900), random.Next(300, 700));
            DrawnBox[] boxes = [.. Enumerable.Range(0, random.Next(2, 25)).Select(_ => Box(random, picture))];
            var labels = DetectionPainter.Labels(picture, boxes);
            AssertApart([.. labels.Select(label => label.Place)], picture.Width, picture.Height, $"seed {seed}");
            if (boxes.Length <= 6) Assert.That(labels, Has.Count.EqualTo(boxes.Length), $"seed {seed}: there is room for so few");
        }
    }

    [Test]
    public void LabelsOfBoxesInOnePlace_AllFindRoomNearIt_TheBestAboveIt()
    {
        var picture = new Picture(640, 480);
        DrawnBox[] boxes = [.. Enumerable.Range(0, 8).Select(i => new DrawnBox(200, 200, 300, 260, i, "name", .9f - i / 10f))];
        var labels = DetectionPainter.Labels(picture, boxes);
        Assert.That(labels, Has.Count.EqualTo(8));
        AssertApart([.. labels.Select(label => label.Place)], 640, 480, "eight on one place");
        Assert.That((labels[0].Place.Left, labels[0].Place.Bottom), Is.EqualTo((200.0, 200.0)));
        Assert.That(labels.Max(label => label.Place.GapTo(new LabelPlace(200, 200, 100, 60))),
            Is.LessThanOrEqualTo(3 * labels[0].Place.Height));
    }

    [Test]
    public void ACrowdWithoutRoom_LeavesLabelsOut_TheWorst()
    {
        var picture = new Picture(300, 200);
        DrawnBox[] boxes = [.. Enumerable.Range(0, 500).Select(i => new DrawnBox(100, 100, 120, 120, 0, "name", 1 - i / 500f))];
        var labels = DetectionPainter.Labels(picture, boxes);
        AssertApart([.. labels.Select(label => label.Place)], 300, 200, "crowd");
        Assert.That(labels.Select(label => label.Box), Is.EqualTo(boxes.Take(labels.Count)));
        Assert.That(labels, Has.Count.InRange(10, 60));
    }

    /// <summary>The last free place of a board is found, wherever it is and from wherever it is looked for.</summary>
    [Test]
    public void TheOnlyFreePlace_IsFound()
    {
        for (int free = 0; free < 25; free++)
        {
            var places = new LabelPlaces(new LabelPlace(10, 20, 50, 50));
            foreach (int i in Enumerable.Range(0, 25).Where(i => i != free))
                places.Block(new LabelPlace(10 + i % 5 * 10, 20 + i / 5 * 10, 10, 10));
            LabelPlace? found = places.Take(10, 10, _ => true, (10 + free * 7 % 40, 20 + free * 3 % 40));
            Assert.That(found, Is.EqualTo(new LabelPlace(10 + free % 5 * 10, 20 + free / 5 * 10, 10, 10)));
            Assert.That(places.Take(10, 10, _ => true, (10, 20)), Is.Null, "now it is taken");
        }
    }

    [Test]
    public void TheNearestFreePlace_IsTaken()
    {
        var places = new LabelPlaces(new LabelPlace(0, 0, 100, 100));
        places.Block(new LabelPlace(20, 20, 60, 30));
        Assert.That(places.Take(10, 10, _ => true, (45, 42)), Is.EqualTo(new LabelPlace(45, 50, 10, 10)), "8 down, 35 to the sides");
        Assert.That(places.Take(10, 10, _ => false, (45, 30)), Is.Null, "20 up or down is too far");
    }

    private static DrawnBox Box(Random random, Picture picture)
    {
        float x = random.Next(-20, picture.Width), y = random.Next(-20, picture.Height);
        return new DrawnBox(x, y, x + random.Next(1, 200), y + random.Next(1, 200), random.Next(20), Names[random.Next(Names.Length)],
            random.Next(3) == 0 ? null : random.NextSingle());
    }

    private static void AssertApart(LabelPlace[] places, int width, int height, string of)
    {
        for (int i = 0; i < places.Length; i++)
        {
            Assert.That(places[i] is { Left: >= 0, Top: >= 0 } && places[i].Right <= width && places[i].Bottom <= height, Is.True,
                $"{of}: {places[i]} is inside");
            for (int k = 0; k < i; k++)
            {
                LabelPlace a = places[i], b = places[k];
                Assert.That(Math.Min(a.Right, b.Right) > Math.Max(a.Left, b.Left) && Math.Min(a.Bottom, b.Bottom) > Math.Max(a.Top, b.Top),
                    Is.False, $"{of}: {a} and {b}");
            }
        }
    }
}
