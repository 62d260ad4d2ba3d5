using Microsoft.ML.Distillation.Samples.Demo.Scenes;
using Microsoft.ML.Distillation.Tool.Models;

namespace Microsoft.ML.Distillation.Tests.Samples;

public class DrawnScenesTests
{
    [Test]
    public void SameSeed_DrawsTheSameScene()
    {
        Scene one = Scene.Draw(new Random(5)), same = Scene.Draw(new Random(5)), other = Scene.Draw(new Random(6));
        Assert.That(same.Objects, Is.EqualTo(one.Objects));
        Assert.That(same.Picture[20, 30], Is.EqualTo(one.Picture[20, 30]));
        Assert.That(other.Objects, Is.Not.EqualTo(one.Objects));
    }

    [Test]
    public void Objects_LieInThePicture_AndEveryClassOccurs()
    {
        Scene[] scenes = [.. Enumerable.Range(0, 40).Select(seed => Scene.Draw(new Random(seed)))];
        foreach (Scene scene in scenes)
        {
            Assert.That(scene.Picture.Width, Is.InRange(160, 256));
            Assert.That(scene.Picture.Height, Is.InRange(120, 192));
            Assert.That(scene.Objects, Has.All.Matches<SceneObject>(o =>
                o!.X0 >= 0 && o.Y0 >= 0 && o.X1 <= scene.Picture.Width && o.Y1 <= scene.Picture.Height && o.X1 - o.X0 >= 4
                    && o.Y1 - o.Y0 >= 4));
        }

        Assert.That(scenes.SelectMany(scene => scene.Objects).Select(o => o.Name).Distinct(),
            Is.EquivalentTo(Shape.Classes.Select(shape => shape.Name)));
    }

    [Test]
    public void DataSet_IsReadAsItWasDrawn()
    {
        using var folder = new TemporaryFolder();
        string data = folder.Sub("scenes");
        SceneDataSet.Write(data, seed: 3, [("train", 4), ("test", 2)]);
        IReadOnlyList<AnnotatedRow> train = AnnotatedRow.Load(new MLContext(), data, "train"),
        all = AnnotatedRow.Load(new MLContext(), data, null);
        Assert.That((train.Count, all.Count), Is.EqualTo((4, 6)));
        Assert.That(all, Has.All.Matches<AnnotatedRow>(image => File.Exists(image!.ImagePath)
            && image.BoundingBoxes.Length == 4 * image.Label.Length));
        Assert.That(all.SelectMany(image => image.Label).Distinct(), Is.SubsetOf(Shape.Classes.Select(shape => shape.Name)));
        Assert.That(Directory.GetDirectories(folder.Path), Has.Length.EqualTo(1), "no temporary folder stays");
    }
}
