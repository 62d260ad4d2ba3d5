using System.Diagnostics;
using Microsoft.ML.Distillation.Samples.Demo.Scenes;
using Microsoft.ML.Distillation.Tests.Data;

namespace Microsoft.ML.Distillation.Tests.Tool;

public class LabelCommandTests
{
    private TemporaryFolder _folder = null!;

    private string[] Command(string output, params string[] more) =>
    [
        "label", "--teacher", _folder.Sub("teacher.zip"), "--images", Path.Combine(_folder.Sub("others"), "JPEGImages"), "--labelled", _folder.Sub("data"),
        "--output", _folder.Sub(output), "--least-score", "0", "--scales", "1,1.5", "--loader-threads", "1", .. more,
    ];

    [OneTimeSetUp]
    public void TrainATeacher()
    {
        _folder = new TemporaryFolder();
        SceneDataSet.Write(_folder.Sub("data"), seed: 1, [("train", 6)]);
        SceneDataSet.Write(_folder.Sub("others"), seed: 2, [("train", 24)]);
        ToolRun.Succeeding("train", "--data", _folder.Sub("data"), "--output", _folder.Sub("teacher.zip"), "--epochs", "2",
            "--backbone", "plain", "--widths", "8,8,16", "--input-size", "64", "--test-split", "none", "--val-split", "none");
        ToolRun.Succeeding(Command("whole"));
    }

    [OneTimeTearDown]
    public void DeleteFolder() => _folder.Dispose();

    [Test]
    public void Labels_AreAsManyAsTheLabelledImagesHave_AndCanBeTrainedOn()
    {
        IDataView labels = new MLContext().Data.LoadDetections(_folder.Sub("whole"), DetectionFormat.Coco);
        int objects = Objects(labels), wanted = Objects(new MLContext().Data.LoadDetections(_folder.Sub("data"))) * 24 / 6;
        Assert.That(objects, Is.EqualTo(wanted).Within(wanted / 10 + 1));
        string json = File.ReadAllText(Path.Combine(_folder.Sub("whole"), "annotations", "instances_default.json"));
        Assert.That(json, Does.Contain("\"score\":0.").And.Contain("\"teacher\":\"").And.Contain("\"thresholds\":\""));

        ToolRun run = ToolRun.Succeeding("train", "--data", _folder.Sub("data"), "--generated", _folder.Sub("whole"), "--output", _folder.Sub("student.zip"),
            "--epochs", "1", "--backbone", "plain", "--widths", "4,4,8", "--input-size", "64", "--test-split", "none", "--val-split", "none");
        Assert.That(run.Output, Does.Contain("epoch 1/1"));
    }

    [Test]
    public void Shards_MergeIntoWhatOneProcessWrites()
    {
        foreach (int i in new[] { 3, 1, 2 })
        {
            ToolRun shard = ToolRun.Succeeding(Command("sharded", "--shard", $"{i}/3"));
            Assert.That(shard.Output, Does.Contain($"shard {i} of 3 is complete"));
            if (i == 3) Assert.That(ToolRun.Of(Command("sharded", "--merge")).Error, Does.Contain("shard-1-of-3"), "not all are there");
        }

        ToolRun.Succeeding(Command("sharded", "--merge"));
        Assert.That(DataSet("sharded"), Is.EqualTo(DataSet("whole")));
    }

    [Test]
    public void VocFormat_HasTheSameObjects()
    {
        ToolRun.Succeeding(Command("voc", "--output-format", "voc"));
        IDataView coco = new MLContext().Data.LoadDetections(_folder.Sub("whole"), DetectionFormat.Coco), voc = new MLContext().Data.LoadDetections(_folder.Sub("voc"));
        Assert.That(Objects(voc), Is.EqualTo(Objects(coco)).And.GreaterThan(0));
        Assert.That(File.ReadAllText(Directory.GetFiles(Path.Combine(_folder.Sub("voc"), "Annotations"))[0]), Does.Contain("<score>"));
    }

    [Test]
    public void KilledAtRandomPoints_ItEndsAsIfItHadNotBeen()
    {
        string shard = Path.Combine(_folder.Sub("killed"), ".shards", "shard-1-of-1.jsonl");
        long whole = new FileInfo(Path.Combine(_folder.Sub("whole"), ".shards", "shard-1-of-1.jsonl")).Length;
        var random = new Random(7);
        long[] points = [.. Enumerable.Range(0, 3).Select(_ => random.NextInt64(1, whole * 9 / 10)).Order()];
        int kills = 0;
        foreach (long point in points)
        {
            using Process process = Start(Command("killed"));
            while (!process.HasExited && !(File.Exists(shard) && Length(shard) >= point)) Thread.Sleep(1);
            if (!process.HasExited) kills++;
            process.Kill();
            process.WaitForExit();
        }

        Assert.That(kills, Is.GreaterThan(0), "the process was killed at work");
        ToolRun.Succeeding(Command("killed"));
        Assert.That(DataSet("killed"), Is.EqualTo(DataSet("whole")));
        Assert.That(File.ReadAllBytes(shard), Is.EqualTo(File.ReadAllBytes(Path.Combine(_folder.Sub("whole"), ".shards", "shard-1-of-1.jsonl"))));
    }

    [Test]
    public void ABrokenImage_IsLeftOut_AndSaid()
    {
        string images = _folder.Sub("broken");
        Directory.CreateDirectory(images);
        File.Copy(Directory.GetFiles(Path.Combine(_folder.Sub("others"), "JPEGImages"))[0], Path.Combine(images, "a.png"));
        File.WriteAllText(Path.Combine(images, "b.png"), "no image");
        ToolRun run = ToolRun.Succeeding(["label", "--teacher", _folder.Sub("teacher.zip"), "--images", images, "--labelled", _folder.Sub("data"),
            "--output", _folder.Sub("broken-labels"), "--least-score", "0", "--scales", "1"]);
        Assert.That(run.Error, Does.Contain("1 images could not be read").And.Contain("b.png"));
    }

    [Test]
    public void LabelledImages_NeedNotExist()
    {
        string annotations = Path.Combine(_folder.Sub("images-gone"), "Annotations");
        Directory.CreateDirectory(annotations);
        foreach (string file in Directory.GetFiles(Path.Combine(_folder.Sub("data"), "Annotations"))) File.Copy(file, Path.Combine(annotations, Path.GetFileName(file)));
        ToolRun.Succeeding(["label", "--teacher", _folder.Sub("teacher.zip"), "--images", Path.Combine(_folder.Sub("others"), "JPEGImages"),
            "--labelled", _folder.Sub("images-gone"), "--output", _folder.Sub("still-labelled"), "--least-score", "0", "--scales", "1"]);
        Assert.That(Directory.GetFiles(_folder.Sub("still-labelled"), "*.json", SearchOption.AllDirectories), Is.Not.Empty);
    }

    [TestCase("yolo", "images/gone.png", "train.txt(1)")]
    [TestCase("openimages", "ImageID,LabelName,XMin,XMax,YMin,YMax\ngone,square,.1,.2,.3,.4", "train.csv(2)")]
    public void LabelledImages_MustExist_WhereBoxesAreSharesOfThem(string format, string list, string named)
    {
        string folder = _folder.Sub($"{format}-gone");
        Directory.CreateDirectory(Path.Combine(folder, "labels"));
        File.WriteAllText(Path.Combine(folder, "data.yaml"), "names: [square]\n");
        File.WriteAllText(Path.Combine(folder, "labels", "gone.txt"), "0 .5 .5 .2 .2\n");
        File.WriteAllText(Path.Combine(folder, named[..named.IndexOf('(')]), list + "\n");
        ToolRun run = ToolRun.Of(["label", "--teacher", _folder.Sub("teacher.zip"), "--images", Path.Combine(_folder.Sub("others"), "JPEGImages"),
            "--labelled", folder, "--format", format, "--output", _folder.Sub($"{format}-labels")]);
        Assert.That(run.ExitCode, Is.EqualTo(1), run.Error);
        Assert.That(run.Error, Does.Contain(named).And.Contain("does not exist"), "or it would count as an image without objects");
    }

    [Test]
    public void WrongUse_IsSaidInOneLine()
    {
        Wrong("--scales", "--scales", "1,big");
        Wrong("2/8", "--shard", "9/8");
        Wrong("--teacher-classes", "--teacher-format", "ssd");
        ToolRun other = ToolRun.Of(Command("whole", "--voting-overlap", "0.7"));
        Assert.That(other.ExitCode, Is.EqualTo(1));
        Assert.That(other.Error, Does.Contain("begun with another transforms"));

        void Wrong(string named, params string[] more)
        {
            ToolRun run = ToolRun.Of(Command("wrong", more));
            Assert.That((run.ExitCode, run.Error.Trim().Split('\n').Length), Is.EqualTo((2, 1)), run.Error);
            Assert.That(run.Error, Does.Contain(named));
        }
    }

    private static Process Start(string[] args) => Process.Start(new ProcessStartInfo("dotnet", [Path.Combine(AppContext.BaseDirectory, "ml-distill.dll"), .. args])
    {
        RedirectStandardOutput = true,
        RedirectStandardError = true,
    })!;

    private static long Length(string path) => new FileInfo(path).Length;

    private string DataSet(string name) => File.ReadAllText(Path.Combine(_folder.Sub(name), "annotations", "instances_default.json"));

    private static int Objects(IDataView data) => new MLContext().Data.CreateEnumerable<Row>(data, reuseRowObject: false).Sum(row => row.Label.Length);

    private sealed class Row
    {
        public string[] Label { get; set; } = [];
    }
}
