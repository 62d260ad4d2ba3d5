using System.Diagnostics;
using Microsoft.ML.Distillation.Formats;
using Microsoft.ML.Distillation.Images;
using Microsoft.ML.Distillation.Samples.Demo.Scenes;

namespace Microsoft.ML.Distillation.Tests.Tool;

public class LabelCommandTests
{
    private TemporaryFolder _folder = null!;

    private string[] Command(string output, params string[] more) =>
    [
        "label", "--teacher", _folder.Sub("teacher.zip"), "--images", Path.Combine(_folder.Sub("others"), "JPEGImages"), "--labelled",
        _folder.Sub("data"),
        "--output", _folder.Sub(output), "--least-score", "0", "--scales", "1,1.5", "--loader-threads", "1", .. more,
    ];

    /// <summary>The same for other images, each shown once.</summary>
    private string[] Once(string images, string output, params string[] more) =>
    [
        "label", "--teacher", _folder.Sub("teacher.zip"), "--images", images, "--labelled", _folder.Sub("data"), "--output",
        _folder.Sub(output),
        "--least-score", "0", "--scales", "1", "--no-flip", .. more,
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

        ToolRun run = ToolRun.Succeeding("train", "--data", _folder.Sub("data"), "--generated", _folder.Sub("whole"), "--output",
            _folder.Sub("student.zip"),
            "--epochs", "1", "--backbone", "plain", "--widths", "4,4,8", "--input-size", "64", "--test-split", "none", "--val-split",
            "none");
        Assert.That(run.Output, Does.Contain("epoch 1/1"));
    }

    [Test]
    public void TurnedPhoto_IsLabelledUpright_AndCopiedUpright()
    {
        byte[] jpeg = EncodedImages.Encode(DrawnImages.Noise(128, 64), ".jpg");
        File.WriteAllBytes(_folder.Sub("photos/photo.jpg"), EncodedImages.WithExif(jpeg, 6, jpeg));
        ToolRun.Succeeding(Once(_folder.Sub("photos"), "upright", "--output-format", "voc", "--label-score", "1e-6"));
        AnnotatedImage image = AnnotationReader.Read(DetectionFormat.PascalVoc, new AnnotationSource(_folder.Sub("upright"))).Single();
        Assert.That(image.Size, Is.EqualTo(new ImageSize(64, 128)));
        using var copy = ImageFile.Open(image.ImagePath);
        Assert.That((copy.Size, copy.Turn.IsNone), Is.EqualTo((new ImageSize(64, 128), true)));
    }

    [Test]
    public void NameThatIsNoText_IsNamed_AndDoesNotStopTheWork()
    {
        if (!OperatingSystem.IsLinux()) Assert.Ignore("Elsewhere names are text.");
        DrawnImages.Save(DrawnImages.Noise(40, 30), _folder.Sub("latin/a.png"));
        string folder = Path.GetDirectoryName(_folder.Sub("latin/a.png"))!;
        Shell($"cp '{folder}/a.png' \"$(printf '{folder}/caf\\351.png')\"");
        try
        {
            ToolRun run = ToolRun.Succeeding(Once(folder, "of-latin", "--label-score", "1e-6"));
            Assert.That(run.Error, Does.Contain("1 image could not be read and is left out")
                .And.Contain("caf\uFFFD.png").And.Contain("no UTF-8 text"));
        }
        finally
        {
            // .NET cannot name it either.
            Shell($"rm -r '{folder}'");
        }

        static void Shell(string command)
        {
            using var process = Process.Start("sh", ["-c", command]);
            process.WaitForExit();
        }
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

        ToolRun.Succeeding(Command("sharded", "--merge", "--shards", "3"));
        Assert.That(DataSet("sharded"), Is.EqualTo(DataSet("whole")), "--shards needs no index where nothing is labelled");
    }

    [Test]
    public void VocFormat_HasTheSameObjects()
    {
        ToolRun.Succeeding(Command("voc", "--output-format", "voc"));
        IDataView coco = new MLContext().Data.LoadDetections(_folder.Sub("whole"), DetectionFormat.Coco),
        voc = new MLContext().Data.LoadDetections(_folder.Sub("voc"));
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
        Assert.That(File.ReadAllBytes(shard),
            Is.EqualTo(File.ReadAllBytes(Path.Combine(_folder.Sub("whole"), ".shards", "shard-1-of-1.jsonl"))));
    }

    [Test]
    public void ShardsAndMerge_KilledAtRandomPoints_EndAsIfTheyHadNotBeen()
    {
        long half = Length(Path.Combine(_folder.Sub("whole"), ".shards", "shard-1-of-1.jsonl")) / 2;
        var random = new Random(11);
        (Process Process, string File, long Point)[] shards = [.. new[] { 1, 2 }.Select(i => (
            Start(Command("killed-shards", "--shard", $"{i}/2")),
            Path.Combine(_folder.Sub("killed-shards"), ".shards", $"shard-{i}-of-2.jsonl"), random.NextInt64(1, half / 2)))];
        int kills = 0;
        while (shards.Any(shard => !shard.Process.HasExited))
        {
            foreach ((Process process, string file, long point) in shards)
            {
                if (process.HasExited || !File.Exists(file) || Length(file) < point) continue;
                process.Kill();
                process.WaitForExit();
                kills++;
            }

            Thread.Sleep(1);
        }

        foreach ((Process process, _, _) in shards) process.Dispose();
        Assert.That(kills, Is.GreaterThan(0), "a process was killed at work");
        foreach (int i in new[] { 2, 1 }) ToolRun.Succeeding(Command("killed-shards", "--shard", $"{i}/2"));

        string annotations = Path.Combine(_folder.Sub("killed-shards"), "annotations");
        using (Process merge = Start(Command("killed-shards", "--merge")))
        {
            while (!merge.HasExited && !Directory.Exists(annotations)) Thread.Sleep(0);
            merge.Kill();
            merge.WaitForExit();
        }

        if (File.Exists(Path.Combine(annotations, "instances_default.json"))) Assert
            .That(DataSet("killed-shards"), Is.EqualTo(DataSet("whole")), "it is there as a whole or not at all");
        ToolRun.Succeeding(Command("killed-shards", "--merge"));
        Assert.That(DataSet("killed-shards"), Is.EqualTo(DataSet("whole")));
        Assert.That(File.ReadAllBytes(Path.Combine(_folder.Sub("killed-shards"), "generated.json")),
            Is.EqualTo(File.ReadAllBytes(Path.Combine(_folder.Sub("whole"), "generated.json"))));
    }

    [Test]
    public void ABrokenImage_IsLeftOut_AndSaid()
    {
        string images = Some("broken", "a.png", "c.png");
        File.WriteAllText(Path.Combine(images, "b.png"), "no image");
        string cut = Path.Combine(images, "c.png");
        File.WriteAllBytes(cut, File.ReadAllBytes(cut)[..^100]);
        ToolRun run = ToolRun.Succeeding(Once(images, "broken-labels"));
        Assert.That(run.Error, Does.Contain("2 images could not be read").And.Contain("'b.png': this is no image that can be read")
            .And.Contain("  'c.png': "), "counted, and each named");
    }

    [Test]
    public void BrokenAnnotationsOfTheLabelledImages_StopIt_OrAreLeftOut()
    {
        string labelled = _folder.Sub("labelled-broken"), images = Some("for-labelled-broken", "a.png");
        SceneDataSet.Write(labelled, seed: 1, [("train", 6)]);
        string[] annotations = Directory.GetFiles(Path.Combine(labelled, "Annotations"));
        File.WriteAllText(annotations[0], "<annotation><object>");
        string[] command = [.. Once(images, "labelled-broken-labels").Select(word => word == _folder.Sub("data") ? labelled : word)];
        ToolRun refused = ToolRun.Of(command), skipped = ToolRun.Succeeding([.. command, "--skip-invalid"]);
        Assert.That(refused.ExitCode, Is.EqualTo(1), refused.Error);
        Assert.That(refused.Error, Does.Contain(Path.GetFileName(annotations[0])));
        Assert.That(skipped.Error, Does.Contain(Path.GetFileName(annotations[0])).And.Contain("1 is left out"));
        Assert.That(skipped.Output, Does.Contain("of 1 image "));
    }

    [Test]
    public void ImagesAddedOrRemovedLater_AreRefused()
    {
        string images = Some("growing", "a.png", "b.png");
        ToolRun.Succeeding(Once(images, "grown"));
        string before = DataSet("grown");
        Some("growing", "sub/c.png");
        Refused("'sub/c.png' too");
        Refused("'sub/c.png' was not labelled", "--merge");
        File.Delete(Path.Combine(images, "sub", "c.png"));
        File.Delete(Path.Combine(images, "b.png"));
        Refused("'b.png'");
        Refused("'b.png' was labelled", "--merge");
        Assert.That(DataSet("grown"), Is.EqualTo(before));

        void Refused(string named, params string[] more)
        {
            ToolRun run = ToolRun.Of(Once(images, "grown", more));
            Assert.That(run.ExitCode, Is.EqualTo(1), run.Error);
            Assert.That(run.Error, Does.Contain(named).And.Contain("another output folder"));
        }
    }

    [Test]
    public void ShardsOfOtherImages_AreNotMerged()
    {
        string images = Some("here", "a.png"), others = Some("there", "a.png");
        ToolRun.Succeeding(Once(images, "of-here"));
        ToolRun run = ToolRun.Of(Once(others, "of-here", "--merge"));
        Assert.That(run.ExitCode, Is.EqualTo(1), run.Error);
        Assert.That(run.Error, Does.Contain($"'{images}'").And.Contain($"'{others}'"));
        ToolRun.Succeeding(Once(images, "of-here", "--merge"));
    }

    [Test]
    public void NoImages_AreAnError_AndNothingIsWritten()
    {
        string empty = Some("empty");
        Refused(empty, "no image to label");
        Refused(empty, "no image to label", "--merge");
        Refused(_folder.Write("empty.txt", "\n"), "no image to label");
        Assert.That(Directory.Exists(_folder.Sub("of-none")), Is.False);

        string broken = Some("all-broken");
        File.WriteAllText(Path.Combine(broken, "a.png"), "no image");
        Refused(broken, "Of 1 image none could be read. The first: 'a.png'");
        Assert.That(Directory.GetFiles(_folder.Sub("of-none"), "*.json", SearchOption.AllDirectories), Is.Empty);

        void Refused(string images, string named, params string[] more)
        {
            ToolRun run = ToolRun.Of(Once(images, "of-none", more));
            Assert.That(run.ExitCode, Is.EqualTo(1), run.Error);
            Assert.That(run.Error, Does.Contain(named));
        }
    }

    [Test]
    public void TooFewDetections_AreSaid()
    {
        string images = Some("few", "a.png", "b.png");
        ToolRun few = ToolRun.Succeeding(Short());
        Assert.That(few.Error, Does.Contain("warning: ").And.Contain("0 (0 an image), where ").And.Contain("are wanted").And
            .Contain("--label-score"));
        string[] classes = [.. new MLContext().Data.CreateEnumerable<Row>(new MLContext().Data.LoadDetections(_folder.Sub("data")), false)
            .SelectMany(row => row.Label).Distinct()];
        ToolRun perClass = ToolRun.Succeeding(Short("--merge", "--labels-per-class"));
        Assert.That(classes, Is.Not.Empty.And.All.Matches<string>(name => perClass.Error.Contains($"of {name} 0 (0 an image)")),
            perClass.Error);
        ToolRun none = ToolRun.Succeeding(Short("--merge", "--label-score", "0.5"));
        Assert.That(none.Error, Is.Empty);
        Assert.That(none.Output, Does.StartWith("0 labels in 0 of 2 images").And.Contain("is empty").And.Not.Contain("saved"));
        Assert.That(ToolRun.Succeeding(Command("whole", "--merge")).Error, Is.Empty, "enough of them");

        string[] Short(params string[] more)
            => ["label", "--teacher", _folder.Sub("teacher.zip"), "--images", images, "--labelled", _folder.Sub("data"),
            "--output", _folder.Sub("few-labels"), "--least-score", "1", "--scales", "1", .. more];
    }

    [TestCase("a/x.png", "b/X.png")]
    [TestCase("x.bmp", "x.png")]
    public void VocFormat_RefusesEqualNames_BeforeTheWork(string one, string other)
    {
        string name = one.Replace('/', '-'), images = Some($"equal-{name}", one, other);
        ToolRun fresh = ToolRun.Of(Once(images, $"fresh-{name}", "--output-format", "voc"));
        Assert.That(fresh.ExitCode, Is.EqualTo(1), fresh.Error);
        Assert.That(fresh.Error, Does.Contain($"'{one}'").And.Contain($"'{other}'").And.Contain("--output-format coco"));
        Assert.That(Directory.Exists(_folder.Sub($"fresh-{name}")), Is.False);

        ToolRun.Succeeding(Once(images, $"coco-{name}"));
        string shard = Path.Combine(_folder.Sub($"coco-{name}"), ".shards", "shard-1-of-1.jsonl"), before = DataSet($"coco-{name}");
        byte[] labels = File.ReadAllBytes(shard);
        Assert.That(ToolRun.Of(Once(images, $"coco-{name}", "--merge", "--output-format", "voc")).ExitCode, Is.EqualTo(1));
        ToolRun.Succeeding(Once(images, $"coco-{name}", "--output-format", "coco"));
        Assert.That((DataSet($"coco-{name}"), File.ReadAllBytes(shard)), Is.EqualTo((before, labels)),
            "the labels that were there are used");
    }

    [Test]
    public void LabelledImages_NeedNotExist()
    {
        string annotations = Path.Combine(_folder.Sub("images-gone"), "Annotations");
        Directory.CreateDirectory(annotations);
        foreach (string file in Directory.GetFiles(Path.Combine(_folder.Sub("data"), "Annotations"))) File
            .Copy(file, Path.Combine(annotations, Path.GetFileName(file)));
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
        ToolRun run = ToolRun.Of(["label", "--teacher", _folder.Sub("teacher.zip"), "--images",
            Path.Combine(_folder.Sub("others"), "JPEGImages"),
            "--labelled", folder, "--format", format, "--output", _folder.Sub($"{format}-labels")]);
        Assert.That(run.ExitCode, Is.EqualTo(1), run.Error);
        Assert.That(run.Error, Does.Contain(named).And.Contain("does not exist"), "or it would count as an image without objects");
    }

    [Test]
    public void WrongUse_IsSaidInOneLine()
    {
        Wrong("--scales", "--scales", "1,big");
        Wrong("2/8", "--shard", "9/8");
        Wrong("--shard i/3", "--shards", "3");
        Wrong("do not go together", "--shard", "1/3", "--shards", "4");
        Wrong("leave out --teacher-format", "--teacher-format", "ssd");
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

    /// <summary>A folder with copies of an image of the others.</summary>
    private string Some(string folder, params string[] names)
    {
        string path = _folder.Sub(folder), image = Directory.GetFiles(Path.Combine(_folder.Sub("others"), "JPEGImages")).Order().First();
        Directory.CreateDirectory(path);
        foreach (string name in names) File.Copy(image, _folder.Sub(Path.Combine(folder, name)));
        return path;
    }

    private static Process Start(string[] args)
        => Process.Start(new ProcessStartInfo("dotnet", [Path.Combine(AppContext.BaseDirectory, "ml-distill.dll"), .. args])
        {
            RedirectStandardOutput = true,
            RedirectStandardError = true,
        })!;

    private static long Length(string path) => new FileInfo(path).Length;

    private string DataSet(string name) => File.ReadAllText(Path.Combine(_folder.Sub(name), "annotations", "instances_default.json"));

    private static int Objects(IDataView data)
        => new MLContext().Data.CreateEnumerable<Row>(data, reuseRowObject: false).Sum(row => row.Label.Length);

    private sealed class Row
    {
        public string[] Label { get; set; } = [];
    }
}
