using Microsoft.ML.Data;
using Microsoft.ML.Distillation.Formats;
using Microsoft.ML.Distillation.Images;
using Microsoft.ML.Distillation.Inspection;

namespace Microsoft.ML.Distillation.Tests.Inspection;

public class DataInspectorTests
{
    [Test]
    public void Bccd_HasItsKnownCounts_AndItsTwoBoxesWithoutArea()
    {
        DetectionDataInspection found = new MLContext().Data.InspectDetections(TestData.Folder("bccd"));
        Assert.That(found.Splits.Select(split => (split.Name, split.Images)),
            Is.EqualTo(new[] { ("train", 205), ("val", 87), ("test", 72) }));
        Assert.That(found.Objects, Is.EqualTo(4888));
        Assert.That(found.Classes.Select(c => c.Name), Is.EqualTo(new[] { "RBC", "WBC", "Platelets" }));
        Assert.That(found.Classes.Sum(c => c.Total), Is.EqualTo(4888));
        Assert.That(found.BoxSizes.Small + found.BoxSizes.Medium + found.BoxSizes.Large, Is.EqualTo(4888));
        Assert.That(found.ImageSizes.Single(), Is.EqualTo(new DetectionImageSize(640, 480, 364)));
        Assert.That(found.Defects.Select(defect => (defect.Kind, Path.GetFileName(defect.ImagePath))), Is.EquivalentTo(new[]
        {
            (DetectionDefectKind.ZeroAreaBox, "BloodImage_00338.jpg"), (DetectionDefectKind.ZeroAreaBox, "BloodImage_00343.jpg"),
        }));
    }

    [Test]
    public void EachDefect_IsFound_AndNothingElse()
    {
        using var folder = new TemporaryFolder();
        string good = folder.Sub("good.png"), twin = folder.Sub("twin.png"), cut = folder.Sub("cut.jpg"),
        broken = folder.Write("broken.png", "no image");
        DrawnImages.Save(DrawnImages.Noise(40, 30), good);
        File.Copy(good, twin);
        File.Copy(good, folder.Sub("copy.png"));
        DrawnImages.Save(DrawnImages.Noise(200, 100), cut);
        File.WriteAllBytes(cut, File.ReadAllBytes(cut)[..2000]);
        AnnotatedImage[] train =
        [
            new(good, new ImageSize(40, 30),
            [
                Cat(1, 1, 20, 20), Cat(5, 5, 5, 9), Cat(30, 20, 50, 25), Cat(1, 1, 20, 20), Cat(0, 0, 41, 31),
                Cat(0, 0, 90, 90) with { Ignore = true }, new AnnotatedObject("dog", 1, 1, 20, 20),
            ]),
            new(twin, new ImageSize(41, 30), []),
            new(cut, null, []),
        ];
        AnnotatedImage[] test = [new(broken, null, []), new(folder.Sub("none.png"), null, []),
            new(folder.Sub("copy.png"), null, [Cat(0, 0, 40, 30)])];
        DetectionDataInspection found = DataInspector.Inspect([Part("train", train), Part("test", test)]);

        Assert.That(found.Defects.Select(defect => (defect.Kind, Path.GetFileName(defect.ImagePath), defect.Object)),
            Is.EquivalentTo(new (DetectionDefectKind, string, int?)[]
        {
            (DetectionDefectKind.ZeroAreaBox, "good.png", 1),
            (DetectionDefectKind.BoxOutside, "good.png", 2),
            (DetectionDefectKind.RepeatedBox, "good.png", 3),
            (DetectionDefectKind.WrongImageSize, "twin.png", null),
            (DetectionDefectKind.UnreadableImage, "cut.jpg", null),
            (DetectionDefectKind.UnreadableImage, "broken.png", null),
            (DetectionDefectKind.UnreadableImage, "none.png", null),
            (DetectionDefectKind.DuplicateImage, "twin.png", null),
            (DetectionDefectKind.DuplicateAcrossSplits, "copy.png", null),
        }));
        Assert.That(found.Defects.Single(defect => defect.Kind == DetectionDefectKind.DuplicateAcrossSplits).Message,
            Does.Contain("good.png of the part 'train'"));
        Assert.That(found.Splits[0], Is.EqualTo(new DetectionDataSplit("train", 3, 6, 2)), "regions to ignore are no objects");
        Assert.That(found.Classes.Select(c => (c.Name, c.Total, c.Images)), Is.EqualTo(new[] { ("cat", 6, 2), ("dog", 1, 1) }));
    }

    [TestCase(DetectionFormat.Yolo)]
    [TestCase(DetectionFormat.OpenImages)]
    public void BrokenAndMissingImages_AreDefects_ThoughTheFormatNeedsTheirSizes(DetectionFormat format)
    {
        using var folder = new TemporaryFolder();
        DrawnImages.Save(DrawnImages.Noise(40, 30), folder.Sub("images/good.png"));
        folder.Write("images/broken.png", "no image");
        if (format == DetectionFormat.Yolo)
        {
            folder.Write("data.yaml", "train: train.txt\nnames: [cat]\n");
            folder.Write("train.txt", "images/broken.png\nimages/none.png\nimages/good.png\n");
            foreach (string name in (string[])["broken", "none", "good"]) folder
                .Write($"labels/{name}.txt", "0 .5 .5 .2 .2\n0 .2 .2 .1 .1\n");
        }
        else
        {
            string boxes = string.Concat(new[] { "broken.png", "none.png",
                "good.png" }.Select(name => $"{name},cat,0.4,0.6,0.4,0.6\n{name},cat,0.1,0.3,0.1,0.3\n"));
            folder.Write("train.csv", "ImageID,LabelName,XMin,XMax,YMin,YMax\n" + boxes);
        }

        DetectionDataInspection found = new MLContext().Data.InspectDetections(folder.Path, format);
        Assert.That(found.Splits.Single(), Is.EqualTo(new DetectionDataSplit("train", 3, 2, 0)));
        Assert.That(found.Defects.Select(defect => (defect.Kind, Path.GetFileName(defect.ImagePath))), Is.EqualTo(new[]
        {
            (DetectionDefectKind.UnreadableImage, "broken.png"), (DetectionDefectKind.UnreadableImage, "none.png"),
        }));
        Assert.That(found.Defects.Select(defect => defect.Message),
            Is.All.EndsWith("so its 2 objects, given in shares of it, are not counted"));
        Assert.That(DataInspector.Inspect(format, new AnnotationSource(folder.Path), []).Defects, Has.Count.EqualTo(2));
        Assert.That(() => AnnotationReader.Read(format, new AnnotationSource(folder.Path, "train")).ToArray(),
            Throws.InstanceOf<Exception>().With.Message.Contains("png"), "what trains on it does not pass over it");
        Assert.That(AnnotationSplits.Exists(format, new AnnotationSource(folder.Path, "train")),
            "the part is there, though it cannot be read");
    }

    [Test]
    public void ContactSheet_MarksABoxWithoutArea_WithAFrameAroundIt()
    {
        using var folder = new TemporaryFolder();
        DrawnImages.Save(DrawnImages.Plain(320, 240, 10, 20, 200), folder.Sub("a.png"));
        AnnotatedImage[] images = [new(folder.Sub("a.png"), null, [Cat(160, 120, 160, 120), Cat(319, 200, 320, 200)])];
        DataInspector.Inspect([Part("all", images)]).SaveContactSheet(folder.Sub("sheet.png"));
        using MLImage sheet = MLImage.CreateFromFile(folder.Sub("sheet.png"));
        RgbImage pixels = MLImagePixels.ToRgb(sheet);
        // The picture begins at (8, 28). Frames of 19 pixels around (160, 120), and around (319, 200) pushed back into the picture.
        foreach ((int x, int y) in ((int, int)[])[(151, 111), (169, 111), (151, 129), (169, 129), (301, 191), (319, 209)])
        {
            int at = 3 * ((28 + y) * sheet.Width + 8 + x);
            Assert.That(pixels.Pixels[at..(at + 3)], Is.EqualTo(new byte[] { 40, 40, 40 }), $"({x}, {y})");
        }
    }

    [Test]
    public void ContactSheet_ShowsImages_ThoughSomeCannotBeRead()
    {
        using var folder = new TemporaryFolder();
        DrawnImages.Save(DrawnImages.Plain(400, 300, 10, 20, 200), folder.Sub("a.png"));
        AnnotatedImage[] images = [new(folder.Sub("a.png"), null, [Cat(100, 100, 300, 200)]), new(folder.Sub("none.png"), null, [])];
        DetectionDataInspection found = DataInspector.Inspect([Part("all", images)]);
        found.SaveContactSheet(folder.Sub("sheet.png"));
        using MLImage sheet = MLImage.CreateFromFile(folder.Sub("sheet.png"));
        Assert.That((sheet.Width, sheet.Height), Is.EqualTo((2 * 328 + 8, 268 + 8)));
        RgbImage pixels = MLImagePixels.ToRgb(sheet);
        int blue = Enumerable.Range(0, sheet.Width * sheet.Height)
            .Count(i => pixels.Pixels[3 * i + 2] == 200 && pixels.Pixels[3 * i] == 10);
        Assert.That(blue, Is.InRange(320 * 240 * 0.9, 320 * 240), "the picture, less its box and label");
    }

    private static AnnotatedObject Cat(float x0, float y0, float x1, float y1) => new("cat", x0, y0, x1, y1);

    private static DataPart Part(string name, IEnumerable<AnnotatedImage> images) => new(name, [.. images],
        new AnnotationNotes(skipsFaults: true));
}
