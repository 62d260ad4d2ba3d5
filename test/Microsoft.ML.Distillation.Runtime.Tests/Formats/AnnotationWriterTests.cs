using Microsoft.ML.Distillation.Formats;

namespace Microsoft.ML.Distillation.Tests.Formats;

public class AnnotationWriterTests
{
    private static readonly AnnotatedObject Cat = new("cat", 1.25f, 2, 20.1f, 10);
    private static readonly AnnotatedObject Dog = new("it's a \"dog\" & <é>", 30, 5, 40, 25);

    private TemporaryFolder _folder = null!;

    [SetUp]
    public void CreateFolder() => _folder = new TemporaryFolder();

    [TearDown]
    public void RemoveFolder() => _folder.Dispose();

    [Test]
    public void Coco_KeepsEveryFlag()
    {
        AnnotatedObject[] objects =
        [
            Cat with { Crowd = true, Area = 12.5f }, Dog with { Difficult = true, Truncated = 0.3f, Occluded = 2, Area = 200 },
            Cat with { Ignore = true, Area = 3 },
        ];
        Assert.That(WriteAndRead(DetectionFormat.Coco, objects), Is.EqualTo(objects));
    }

    [Test]
    public void Voc_KeepsWhatItKnows_AndMakesGroupsDifficult()
    {
        AnnotatedObject[] objects = [Cat with { Crowd = true }, Dog with { Difficult = true, Truncated = 0.5f, Occluded = 2 },
            Cat with { Ignore = true, Area = 9 }];
        Assert.That(WriteAndRead(DetectionFormat.PascalVoc, objects), Is.EqualTo(new[]
        {
            Cat with { Difficult = true }, Dog with { Difficult = true, Truncated = 0.5f, Occluded = 1 }, Cat with { Difficult = true },
        }));
    }

    [Test]
    public void Yolo_LeavesOutWhatADetectorMustNotLearn()
    {
        AnnotatedObject[] read = WriteAndRead(DetectionFormat.Yolo,
            [Cat with { Crowd = true }, Dog with { Difficult = true }, Cat with { Ignore = true }, Cat], leftOut: 2);
        Assert.That(read.Select(item => item.Label), Is.EqualTo(new[] { Dog.Label, "cat" }));
        Assert.That(read[1].X1, Is.EqualTo(20.1f).Within(1e-5));
    }

    [TestCase(DetectionFormat.PascalVoc)]
    [TestCase(DetectionFormat.Coco)]
    [TestCase(DetectionFormat.Yolo)]
    public void RegionsOfNoClass_AreLeftOut_AndCounted(DetectionFormat format)
        => Assert.That(WriteAndRead(format, [Cat with { Label = "", Ignore = true }, Dog], leftOut: 1), Has.Length.EqualTo(1));

    [Test]
    public void Cancellation_InTheMiddle_LeavesNothing(
        [Values(DetectionFormat.PascalVoc, DetectionFormat.Coco, DetectionFormat.Yolo)] DetectionFormat format)
    {
        using var source = new CancellationTokenSource();
        string output = _folder.Sub("half/written");
        var options = new AnnotationWriterOptions { Split = "train", CopyImages = true, Cancellation = source.Token };
        IEnumerable<AnnotatedImage> Interrupted()
        {
            yield return Image("a.png", Cat);
            source.Cancel();
            yield return Image("b.png", Dog);
        }

        Assert.That(() => AnnotationWriter.Write(format, output, Interrupted(), options), Throws.InstanceOf<OperationCanceledException>());
        Assert.That(Directory.GetFileSystemEntries(output), Is.Empty);
    }

    [TestCase(DetectionFormat.PascalVoc)]
    [TestCase(DetectionFormat.Coco)]
    [TestCase(DetectionFormat.Yolo)]
    public void ImagesWithoutObjects_AreWritten(DetectionFormat format)
    {
        Write(format, [Image("a.png"), Image("b.png", Cat)]);
        Assert.That(Read(format).Select(image => image.Objects.Count), Is.EqualTo(new[] { 0, 1 }));
    }

    [TestCase(DetectionFormat.PascalVoc)]
    [TestCase(DetectionFormat.Coco)]
    [TestCase(DetectionFormat.Yolo)]
    public void Error_InTheMiddle_LeavesWhatWasThere(DetectionFormat format)
    {
        Write(format, [Image("a.png", Cat)]);
        string[] before = Contents();
        IEnumerable<AnnotatedImage> broken = [Image("c.png", Dog), Image("d.png", Dog), .. Throwing()];
        Assert.That(() => Write(format, broken), Throws.TypeOf<FormatException>().With.Message.EqualTo("broken"));
        Assert.That(Contents(), Is.EqualTo(before));

        static IEnumerable<AnnotatedImage> Throwing()
        {
            yield return null!;
        }
    }

    [TestCase(DetectionFormat.PascalVoc)]
    [TestCase(DetectionFormat.Coco)]
    [TestCase(DetectionFormat.Yolo)]
    public void TwoImagesOfOneName_AreAnError_UnlessTheyAreCopied(DetectionFormat format)
    {
        AnnotatedImage[] images = [Image("x/a.png", Dog), Image("y/A.png", Cat), Image("z/y/a.png")];
        Assert.That(
            () => AnnotationWriter.Write(format, _folder.Sub("out/"), images, new() { Split = "train" }),
            Throws.TypeOf<InvalidDataException>().With.Message.Contains("'A'"));
        Write(format, images);
        Assert.That(Read(format).Select(image => Path.GetFileName(image.ImagePath)),
            Is.EquivalentTo((string[])["a.png", "y_A.png", "z_y_a.png"]));
        Assert.That(Read(format).Single(image => Path.GetFileName(image.ImagePath) == "y_A.png").Objects.Single().Label, Is.EqualTo("cat"));
    }

    [Test]
    public void Yolo_SecondSplit_KeepsTheNumbersOfTheClasses()
    {
        Write(DetectionFormat.Yolo, [Image("a.png", Dog)], "train");
        Write(DetectionFormat.Yolo, [Image("b.png", Cat, Dog)], "val");
        Assert.That(Read(DetectionFormat.Yolo, "train").Single().Objects.Single().Label, Is.EqualTo(Dog.Label));
        Assert.That(Read(DetectionFormat.Yolo, "val").Single().Objects.Select(item => item.Label), Is.EqualTo(new[] { "cat", Dog.Label }));
        Assert.That(Read(DetectionFormat.Yolo, null).Count(), Is.EqualTo(2));
    }

    [Test]
    public void Label_ThatXmlCannotHold_IsAnError()
        => Assert.That(() => Write(DetectionFormat.PascalVoc, [Image("a.png", Cat with { Label = "a\u0001" })]),
            Throws.TypeOf<InvalidDataException>().With.Message.Contains("a.png"));

    [Test]
    public void OtherFormats_CannotBeWritten()
        => Assert.That(() => Write(DetectionFormat.Kitti, []), Throws.TypeOf<NotSupportedException>().With.Message.Contains("Kitti"));

    private AnnotatedObject[] WriteAndRead(DetectionFormat format, AnnotatedObject[] objects, int leftOut = 0)
    {
        WrittenAnnotations written = Write(format, [Image("a.png", objects)]);
        Assert.That(written, Is.EqualTo(new WrittenAnnotations(1, objects.Length - leftOut, leftOut)));
        return [.. Read(format).Single().Objects];
    }

    private WrittenAnnotations Write(DetectionFormat format, IEnumerable<AnnotatedImage> images, string split = "train")
        => AnnotationWriter.Write(format, _folder.Sub("out/"), images.Select(image => image ?? throw new FormatException("broken")),
            new() { Split = split, CopyImages = true });

    private IEnumerable<AnnotatedImage> Read(DetectionFormat format, string? split = "train")
        => AnnotationReader.Read(format, new AnnotationSource(_folder.Sub("out/"), split));

    private AnnotatedImage Image(string name, params AnnotatedObject[] objects)
    {
        string path = _folder.Sub("in/" + name);
        DrawnImages.Save(DrawnImages.Noise(60, 30), path);
        return new AnnotatedImage(path, null, objects);
    }

    private string[] Contents() => [.. Directory.EnumerateFileSystemEntries(_folder.Sub("out/"), "*", SearchOption.AllDirectories).Order()
        .Select(path => File.Exists(path) ? path + File.ReadAllText(path) : path)];
}
