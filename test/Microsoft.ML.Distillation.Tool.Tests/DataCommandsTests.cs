using System.Diagnostics;
using System.Globalization;
using System.Text.Json;
using Microsoft.ML.Data;
using Microsoft.ML.Distillation.Formats;
using Microsoft.ML.Distillation.Samples.Demo.Scenes;

namespace Microsoft.ML.Distillation.Tests.Tool;

/// <summary>inspect, convert, and --format on the commands that read data.</summary>
public class DataCommandsTests
{
    private TemporaryFolder _folder = null!;

    private string Data => Path.Combine(_folder.Path, "data");

    [OneTimeSetUp]
    public void DrawData()
    {
        _folder = new TemporaryFolder();
        SceneDataSet.Write(Data, seed: 1, [("train", 6), ("val", 2), ("test", 3)]);
    }

    [OneTimeTearDown]
    public void DeleteData() => _folder.Dispose();

    [Test]
    public void Inspect_FindsBccdsDefects_AndDrawsThem()
    {
        ToolRun run = ToolRun.Succeeding("inspect", "--data", TestData.Folder("bccd"), "--output", _folder.Sub("inspect"), "--pictures",
            "6");
        Assert.That(run.Output, Does.Contain("train: 205 images, 2805 objects").And.Contain("2 defects"));
        Assert.That(run.Output, Does.Contain("train/BloodImage_00343.jpg: object 3, RBC (181, 329, 181, 329), has no area"));
        Assert.That(run.Output, Does.Contain("val/BloodImage_00338.jpg: object 12, RBC (504, 337, 504, 337), has no area"));
        using MLImage sheet = MLImage.CreateFromFile(_folder.Sub("inspect/contact-sheet.png"));
        Assert.That(sheet.Width, Is.GreaterThan(640));
        using JsonDocument json = JsonDocument.Parse(File.ReadAllBytes(_folder.Sub("inspect/inspection.json")));
        Assert.That(json.RootElement.GetProperty("defects").EnumerateArray().Select(d => d.GetProperty("kind").GetString()),
            Is.All.EqualTo("zeroAreaBox"));
    }

    /// <summary>Drawn scenes have each their own size: a list of five of them tells nothing.</summary>
    [Test]
    public void Inspect_OfImagesOfManySizes_SaysFromWhichToWhich()
    {
        var sizes = Directory.GetFiles(Path.Combine(Data, "JPEGImages")).Select(file =>
        {
            using MLImage image = MLImage.CreateFromFile(file);
            return (image.Width, image.Height);
        }).Distinct().ToArray();
        Assert.That(ToolRun.Succeeding("inspect", "--data", Data).Output, Does.Contain($"images: {sizes.Length} sizes, "
            + $"widths {sizes.Min(size => size.Width)} to {sizes.Max(size => size.Width)}, "
            + $"heights {sizes.Min(size => size.Height)} to {sizes.Max(size => size.Height)} pixels"));
    }

    [TestCase("coco")]
    [TestCase("yolo")]
    [TestCase("voc")]
    public void Convert_WritesEveryPart_WhichReadsBackTheSame(string format)
    {
        string output = _folder.Sub($"as-{format}");
        ToolRun run = ToolRun.Succeeding("convert", "--data", Data, "--to", format, "--output", output, "--copy-images");
        Assert.That(run.Output, Does.Contain("train: 6 images").And.Contain("val: 2 images").And.Contain("test: 3 images"));
        foreach (string split in (string[])["train", "val", "test"])
        {
            AnnotatedImage[] before = Read(DetectionFormat.PascalVoc, Data),
            after = Read(Enum.Parse<DetectionFormat>(format == "voc" ? "PascalVoc" : format, true), output);
            Assert.That(after.Select(image => image.Objects.Count), Is.EqualTo(before.Select(image => image.Objects.Count)));
            Assert.That(after.SelectMany(image => image.Objects).Select(item => item.X0),
                Is.EqualTo(before.SelectMany(image => image.Objects).Select(item => item.X0)).Within(1e-3));

            AnnotatedImage[] Read(DetectionFormat kind, string folder)
                => [.. AnnotationReader.Read(kind, new AnnotationSource(folder, split))
                    .OrderBy(image => Path.GetFileName(image.ImagePath), StringComparer.Ordinal)];
        }
    }

    [Test]
    public void Convert_NamesAMissingImage_AndWritesNothing_UnlessItMayBeMissing()
    {
        string xml = _folder.Write("gone/train/a.xml",
            "<annotation>\n<filename>a.png</filename><size><width>9</width><height>8</height></size></annotation>");
        string output = _folder.Sub("gone-coco");
        string[] convert = ["convert", "--data", _folder.Sub("gone"), "--to", "coco", "--output", output];
        ToolRun refused = ToolRun.Of(convert);
        Assert.That((refused.ExitCode, refused.Error),
            Is.EqualTo((1, $"ml-distill: {xml}(2): the image '{Path.ChangeExtension(xml, ".png")}' does not exist. "
            + "Where the images are elsewhere, name their folder: give --image-folder.\n")));
        Assert.That(Directory.EnumerateFiles(output, "*", SearchOption.AllDirectories), Is.Empty);

        Assert.That(ToolRun.Succeeding([.. convert, "--allow-missing-images"]).Output, Does.Contain("train: 1 image,"));
        Assert.That(File.ReadAllText(Path.Combine(output, "annotations", "instances_train.json")), Does.Contain("a.png"));
    }

    [Test]
    public void Train_LeavesOutAMissingImage_OnlyWhereItMay()
    {
        SceneDataSet.Write(_folder.Sub("holes"), seed: 2, [("train", 5)]);
        string image = Directory.EnumerateFiles(_folder.Sub("holes/JPEGImages")).Order(StringComparer.Ordinal).First();
        File.Delete(image);
        string[] train = ["train", "--data", _folder.Sub("holes"), "--output", _folder.Sub("holes.zip"), "--backbone", "plain", "--widths",
            "4,4", "--input-size", "64", "--epochs", "1"];
        ToolRun refused = ToolRun.Of(train);
        Assert.That(refused.Error, Does.Contain($"the image '{image}' does not exist"));
        Assert.That(refused.ExitCode, Is.EqualTo(1));
        Assert.That(ToolRun.Succeeding([.. train, "--skip-invalid"]).Error, Does.Contain("1 image left out").And.Contain(image));

        train[2] = Data;
        train = [.. train, "--generated", _folder.Sub("holes")];
        Assert.That(ToolRun.Of(train).Error, Does.Contain($"the image '{image}' does not exist"));
        Assert.That(ToolRun.Succeeding([.. train, "--skip-invalid"]).Error, Does.Contain("1 image left out").And.Contain(image));
    }

    [Test]
    public void Convert_Interrupted_LeavesNothingHalfWritten()
    {
        if (OperatingSystem.IsWindows()) Assert.Ignore("Windows has no signal that a test can send to one process.");
        string File(int images) => """{"images":[""" + string.Join(",\n", Enumerable.Range(1, images)
            .Select(i => $$"""{"id":{{i}},"file_name":"{{images}}-{{i}}.png","width":9,"height":9}"""))
            + """],"categories":[],"annotations":[]}""";
        _folder.Write("long/annotations/instances_train.json", File(1));
        _folder.Write("long/annotations/instances_val.json", File(100_000));
        string output = _folder.Sub("interrupted/");
        bool sent = false;
        ProgramRun run = ProgramRun.Of(
            Path.Combine(AppContext.BaseDirectory, "ml-distill.dll"), _folder.Path,
            ["convert", "--data", "long", "--from", "coco", "--to", "voc", "--output", output, "--allow-missing-images"],
            (process, line) =>
            {
                if (sent || !line.StartsWith("train: 1 image,", StringComparison.Ordinal)) return;
                sent = true;
                Process.Start("kill", ["-INT", process.Id.ToString(CultureInfo.InvariantCulture)]).WaitForExit();
            });
        Assert.That(run.ExitCode, Is.EqualTo(130), run.Error);
        Assert.That(run.Error, Does.Contain("what is not finished is taken back"));
        Assert.That(Directory.GetFileSystemEntries(output).Select(Path.GetFileName), Is.EquivalentTo(new[] { "Annotations", "ImageSets" }),
            "and no .part-");
        Assert.That(Directory.GetFiles(output, "*", SearchOption.AllDirectories).Select(Path.GetFileName),
            Is.EquivalentTo(new[] { "1-1.xml", "train.txt" }));
    }

    [Test]
    public void TrainDistilEvaluatePredict_TakeAFormat_AndReport()
    {
        string coco = _folder.Sub("coco"), teacher = _folder.Sub("teacher.zip"), student = _folder.Sub("student.zip"),
        report = _folder.Sub("report.html");
        ToolRun.Succeeding("convert", "--data", Data, "--to", "coco", "--output", coco, "--copy-images");
        string[] tiny = ["--data", coco, "--format", "coco", "--backbone", "plain", "--input-size", "64", "--epochs", "1"];
        ToolRun train = ToolRun.Succeeding(["train", "--output", teacher, .. tiny, "--widths", "8,8,16"]);
        Assert.That(train.Output, Does.Contain("AP50").And.Contain("ms/image"), "validated on val, measured on test");
        ToolRun distill = ToolRun.Succeeding(["distill", "--teacher", teacher, "--output", student, .. tiny, "--widths", "4,4,8",
            "--control", "--report", report, "--report-pictures", "2"]);
        Assert.That(distill.Output, Does.Contain($"saved {report}"));
        string html = File.ReadAllText(report);
        Assert.That(html, Does.Contain("Loss: student distilled").And.Contain("Loss: student alone").And.Contain("--report-pictures 2").And
            .Contain("data:image/"));

        ToolRun voc = ToolRun.Succeeding("evaluate", "--model", student, "--data", Data);
        ToolRun same = ToolRun.Succeeding("evaluate", "--model", student, "--data", coco, "--format", "coco", "--report",
            _folder.Sub("evaluation.html"), "--teacher", teacher);
        Assert.That(same.Output, Does.StartWith(voc.Output.Split('\n')[0]));
        Assert.That(File.ReadAllText(_folder.Sub("evaluation.html")),
            Does.Contain("student distilled").And.Contain("<section id=\"settings\""));
        ToolRun predict = ToolRun.Succeeding("predict", "--model", student, "--images", coco, "--format", "coco", "--split", "test",
            "--output", _folder.Sub("dt.json"));
        Assert.That(predict.Output, Does.Contain("in 3 images"));
    }

    [Test]
    public void Evaluate_ShowsErrorsAndConfusion_AndWritesThem()
    {
        string model = _folder.Sub("toy.onnx"), data = _folder.Sub("toy/a.png");
        File.WriteAllBytes(model, ToyDetector.Model().ToBytes());
        using (MLImage image = ToyDetector.Image(40, 80, (1, 2, "red"), (3, 3, "green"))) image.Save(data);
        string list = _folder.Write("toy/train.tsv", "a.png\tred,red\t10,40,20,60,30,60,40,80\n");
        ToolRun run = ToolRun.Succeeding("evaluate", "--model", model, "--data", list, "--format", "tsv", "--metric", "ilsvrc", "--errors",
            "--json", _folder.Sub("toy.json"));
        Assert.That(run.Output, Does.StartWith("mAP    5"));
        Assert.That(run.Output, Does.Contain("classification       1").And.Contain("missed               0").And.Contain("confusion"));
        using JsonDocument json = JsonDocument.Parse(File.ReadAllBytes(_folder.Sub("toy.json")));
        Assert.That(json.RootElement.GetProperty("errors").GetProperty("classification").GetProperty("count").GetInt32(), Is.EqualTo(1));
        Assert.That(json.RootElement.GetProperty("confusion").GetProperty("classes").EnumerateArray().Select(name => name.GetString()),
            Is.EqualTo(new[] { "red", "green" }));

        ToolRun kitti = ToolRun.Of("evaluate", "--model", model, "--data", list, "--format", "tsv", "--metric", "kitti");
        Assert.That(kitti.ExitCode, Is.EqualTo(1));
        Assert.That(kitti.Error, Does.Contain("Car, Pedestrian and Cyclist").And.Contain("red"));
    }

    [TestCase("inspect", "--data")]
    [TestCase("inspect --data d --format pascal", "pascal")]
    [TestCase("convert --data d --output o", "--to")]
    [TestCase("convert --data d --output o --to kitti", "voc, coco, yolo")]
    [TestCase("evaluate --ground-truth g --detections d --report r", "--model")]
    [TestCase("evaluate --model m --data d --teacher t", "--report")]
    public void WrongUse_ExitsWith2_AndSaysWhat(string line, string what)
    {
        ToolRun run = ToolRun.Of(line.Split(' '));
        Assert.That(run.ExitCode, Is.EqualTo(2), run.Error);
        Assert.That(run.Error, Does.Contain(what));
        Assert.That(run.Error.TrimEnd().Split('\n'), Has.Length.EqualTo(1));
    }
}
