using Microsoft.ML.Distillation.Formats;
using Microsoft.ML.Distillation.Tool.Models;

namespace Microsoft.ML.Distillation.Tests.Tool;

/// <summary>Data sets as users have and hand them over, through the command.</summary>
public class UserDataTests
{
    private static readonly string[] Small =
        ["--epochs", "1", "--backbone", "plain", "--widths", "4,4,8", "--input-size", "64", "--weights", "none"];

    private TemporaryFolder _folder = null!;

    [SetUp]
    public void MakeFolder() => _folder = new TemporaryFolder();

    [TearDown]
    public void DeleteFolder() => _folder.Dispose();

    [TestCase("roboflow-yolo", "voc", "--format yolo")]
    [TestCase("cvat-ultralytics-data", "coco", "--format yolo")]
    [TestCase("coco-same-name-in-folders", "voc", "--format coco")]
    [TestCase("coco-bbox-missing/instances.json", "voc", "--format coco")]
    [TestCase("coco-bbox-missing", "yolo", "--format coco")]
    [TestCase("voc-swapped-corners", "yolo", "--format voc")]
    [TestCase("voc-swapped-corners", "coco", "--format voc")]
    [TestCase("mac-resource-forks/coco", "voc", "--format coco")]
    [TestCase("dots-in-names/kitti", "voc", "--format kitti")]
    [TestCase("truncated-with-exif-thumbnail/JPEGImages", "voc", "--no-labels")]
    [TestCase("truncated-with-exif-thumbnail/JPEGImages", "yolo", "ml-distill label")]
    [TestCase("truncated-with-exif-thumbnail/JPEGImages/whole.jpg", "voc", "This is an image")]
    public void WrongFormat_IsLookedAt_BeforeItIsRefused(string data, string format, string hint)
    {
        string path = TestData.Case(data);
        foreach (string[] command in (string[][])[
            ["inspect", "--data", path, "--format", format],
            ["convert", "--data", path, "--from", format, "--to", "voc", "--output", _folder.Sub("out")],
            ["train", "--data", path, "--format", format, "--output", _folder.Sub("x.zip"), .. Small]])
        {
            ToolRun run = ToolRun.Of(command);
            Assert.That((run.ExitCode, run.Error.Contains(hint)), Is.EqualTo((1, true)), run.Error);
        }
    }

    [Test]
    public void ImagesElsewhere_AreAskedFor()
    {
        _folder.Write("set/a.xml", "<annotation><filename>a.jpg</filename><object><name>x</name>"
            + "<bndbox><xmin>1</xmin><ymin>1</ymin><xmax>9</xmax><ymax>9</ymax></bndbox></object></annotation>");
        DrawnImages.Save(DrawnImages.Noise(20, 20), _folder.Sub("photos/a.jpg"));
        ToolRun run = ToolRun.Of("convert", "--data", _folder.Sub("set/.")[..^2], "--to", "yolo", "--output", _folder.Sub("out"));
        Assert.That((run.ExitCode, run.Error), Is.EqualTo((1, run.Error)));
        Assert.That(run.Error, Does.Contain("a.jpg' does not exist").And.Contain("give --image-folder"));
    }

    [Test]
    public void WrongAnnotations_AreListedByInspect_AndLeftOutBySkipInvalid()
    {
        string data = TestData.Case("voc-swapped-corners");
        ToolRun inspect = ToolRun.Succeeding("inspect", "--data", data);
        foreach (string file in (string[])["f1.xml", "f2.xml", "f3.xml"])
            Assert.That(inspect.Output, Does.Match($@"all/{file}\(1\): .*corners are swapped"));
        string[] convert = ["convert", "--data", data, "--to", "coco", "--output", _folder.Sub("out")];
        ToolRun refused = ToolRun.Of(convert);
        Assert.That((refused.ExitCode, refused.Error.Contains("corners are swapped")), Is.EqualTo((1, true)), refused.Error);
        ToolRun run = ToolRun.Succeeding([.. convert, "--skip-invalid"]);
        Assert.That(run.Output, Does.Contain("all: 4 images, 5 objects"));
        Assert.That(run.Error, Does.Contain("Invalid annotations: 3 are left out").And.Contain("f1.xml(1)"));
        ToolRun train = ToolRun.Succeeding(
            ["train", "--data", data, "--output", _folder.Sub("x.zip"), "--skip-invalid", .. Small]);
        Assert.That(train.Error, Does.Contain("Invalid annotations: 3 are left out"));
    }

    [Test]
    public void PartThatIsNamedAndAbsent_AndNoValidation_AreSaid()
    {
        ToolRun run = ToolRun.Succeeding(["train", "--data", TestData.Case("roboflow-yolo"), "--format", "yolo", "--val-split", "none",
            "--output", _folder.Sub("x.zip"), .. Small]);
        Assert.That(run.Error, Does.Contain("data.yaml(3)").And.Contain("'test'").And.Contain("test/images'"));
        Assert.That(run.Output, Does.Contain("nothing is measured, and the model of the last epoch is kept; --val-share 0.15"));
    }

    [Test]
    public void ShareForValidation_IsHeldBack_WhereItIsAskedFor_AndByDefaultFrom40ImagesOn()
    {
        using var few = new DrawnFolder(train: 8, val: 0, test: 0);
        using var many = new DrawnFolder(train: 40, val: 0, test: 0);
        // Their lists of other parts are empty.
        foreach (DrawnFolder folder in (DrawnFolder[])[few, many])
            foreach (string part in (string[])["val.txt", "test.txt"]) File.Delete(folder.At("ImageSets", "Main", part));
        Assert.That(Train(few.Path), Does.Contain("no validation part"));
        Assert.That(Train(few.Path, "--val-share", "0.25"), Does.Contain("validation: 2 of the 8 images").And.Contain("AP50"));
        Assert.That(Train(many.Path), Does.Contain("validation: 6 of the 40 images"));
        Assert.That(Train(many.Path, "--val-share", "0"), Does.Contain("no validation part"));
        Assert.That(Train(many.Path, "--val-split", "none"), Does.Contain("no validation part"));
        ToolRun both = ToolRun.Of(["train", "--data", many.Path, "--output", _folder.Sub("x.zip"), "--val-split", "train", "--val-share",
            ".1", .. Small]);
        Assert.That((both.ExitCode, both.Error.Contains("--val-split none")), Is.EqualTo((2, true)), both.Error);

        string Train(string data, params string[] more)
            => ToolRun.Succeeding(["train", "--data", data, "--output", _folder.Sub("x.zip"), .. Small, .. more]).Output;
    }

    [Test]
    public void HeldBackImages_AreTheSame_WhereverTheDataLie_AndWhenOthersCome()
    {
        string[] names = [.. Enumerable.Range(0, 40).Select(i => $"images/{i}.jpg")];
        string[] more = [.. names, .. Enumerable.Range(40, 4).Select(i => $"images/{i}.jpg")];
        string[] here = Held("/a/b", names), there = Held("/c", names), later = Held("/c", more);
        Assert.That(here, Has.Length.EqualTo(6).And.EqualTo(there));
        Assert.That(later.Intersect(here).Count(), Is.GreaterThanOrEqualTo(4));
        Assert.That(new HeldBackImages(["/x/a.jpg", "/x/b.jpg"], "/x", .01).Count, Is.EqualTo(1));
        Assert.That(new HeldBackImages(["/x/a.jpg", "/x/b.jpg"], "/x", .9).Count, Is.EqualTo(1));

        static string[] Held(string folder, string[] images)
        {
            var held = new HeldBackImages([.. images.Select(name => $"{folder}/{name}")], folder, .15);
            return [.. images.Where(name => held.Contains($"{folder}/{name}"))];
        }
    }

    [Test]
    public void Student_KnowsTheClassesThatAreListed_AndItIsSaidWhichDoNotOccur()
    {
        ToolRun.Succeeding("convert", "--data", TestData.Case("roboflow-yolo"), "--from", "yolo", "--split", "train", "--to", "yolo",
            "--output", _folder.Sub("set"), "--copy-images");
        string yaml = _folder.Sub("set/data.yaml");
        File.WriteAllText(yaml, "train: images/train\nnames: [square, zebra, disc, ant]\n");
        foreach (string label in Directory.GetFiles(_folder.Sub("set/labels/train/.")[..^2]))
            File.WriteAllLines(label, File.ReadAllLines(label).Select(line => line[0] == '1' ? "2" + line[1..] : line));
        ToolRun run = ToolRun.Succeeding(["train", "--data", _folder.Sub("set/.")[..^2], "--format", "yolo", "--output",
            _folder.Sub("x.onnx"), .. Small]);
        Assert.That(run.Error, Does.Contain("of the 4 classes that the data set lists 2 do not occur").And.Contain("ant, zebra"));
        using var detector = ObjectDetector.Load(_folder.Sub("x.onnx"));
        Assert.That(detector.ClassNames, Is.EqualTo((string[])["ant", "disc", "square", "zebra"]));
    }

    [Test]
    public void PartCalledValid_IsTheValidationPart()
    {
        foreach (string part in (string[])["train", "valid"])
        {
            ToolRun.Succeeding("convert", "--data", TestData.Case("exif-orientation/voc"), "--to", "coco", "--output",
                _folder.Sub("one"), "--split", "all",
                "--copy-images");
            Directory.CreateDirectory(_folder.Sub($"set/{part}/x")[..^2]);
            foreach (string image in Directory.GetFiles(_folder.Sub("one/images/default/.")[..^2]))
                File.Copy(image, _folder.Sub($"set/{part}/{Path.GetFileName(image)}"));
            File.Copy(_folder.Sub("one/annotations/instances_default.json"), _folder.Sub($"set/{part}/_annotations.coco.json"));
        }

        ToolRun run = ToolRun.Succeeding("inspect", "--data", _folder.Sub("set/.")[..^2], "--format", "coco");
        Assert.That(run.Output, Does.Contain("train: 4 images").And.Contain("val: 4 images"));
        Assert.That(AnnotationSplits.Exists(DetectionFormat.Coco, new AnnotationSource(_folder.Sub("set/.")[..^2], "test")), Is.False);
    }
}
