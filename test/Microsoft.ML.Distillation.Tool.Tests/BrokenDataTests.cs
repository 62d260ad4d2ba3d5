using Microsoft.ML.Distillation.Model;
using Microsoft.ML.Distillation.Samples.Demo.Scenes;

namespace Microsoft.ML.Distillation.Tests.Tool;

/// <summary>What training and measuring do with images that cannot be read, and with parts that hold nothing.</summary>
public class BrokenDataTests
{
    private static readonly string[] Tiny =
        ["--backbone", "plain", "--widths", "4,4,8", "--input-size", "64", "--epochs", "1", "--seed", "3"];

    private TemporaryFolder _folder = null!;
    private string _broken = "";

    private string Data => _folder.Sub("data");

    [OneTimeSetUp]
    public void TrainOnWholeData()
    {
        _folder = new TemporaryFolder();
        SceneDataSet.Write(Data, seed: 1, [("train", 4), ("test", 3)]);
        ToolRun.Succeeding(["train", "--data", Data, "--output", _folder.Sub("teacher.zip"), .. Tiny]);
        ToolRun.Succeeding("export", "--model", _folder.Sub("teacher.zip"), "--output", _folder.Sub("teacher.onnx"));
        ToolRun.Succeeding("export", "--model", _folder.Sub("teacher.zip"), "--output", _folder.Sub("plain.onnx"), "--plain");
        _broken = Path.Combine(Data, "JPEGImages", "scene_0005.jpg");
        File.WriteAllText(_broken, "no image");
    }

    [OneTimeTearDown]
    public void DeleteData() => _folder.Dispose();

    [Test]
    public void BrokenTestImage_StopsTrainingBeforeItBegins([Values("train", "distill")] string command)
    {
        string[] teacher = command == "distill" ? ["--teacher", _folder.Sub("teacher.zip")] : [];
        ToolRun run = ToolRun.Of([command, "--data", Data, .. teacher, "--output", _folder.Sub("none.zip"), .. Tiny]);
        Assert.That(run.ExitCode, Is.EqualTo(1));
        Assert.That(run.Error, Does.Contain("scene_0005.jpg").And.Contain("--skip-invalid"));
        Assert.That(run.Output, Does.Not.Contain("epoch"));
    }

    [Test]
    public void SkipInvalid_LeavesBrokenTestImagesOut_AndEverySeedIsTrainedAndMeasured_AsOnnxToo()
    {
        ToolRun run = ToolRun.Succeeding(["distill", "--data", Data, "--teacher", _folder.Sub("teacher.zip"), "--output",
            _folder.Sub("s.onnx"), "--seeds", "2", "--skip-invalid", .. Tiny]);
        Assert.That(run.Error, Does.Contain("warning: 1 of 3 test images cannot be read and is left out. The first: ").And
            .Contain("scene_0005.jpg"));
        Assert.That(run.Output, Does.Contain("AP by seed").And.Contain("teacher  "));
        foreach (string seed in (string[])["3", "4"])
        {
            Assert.That(FittedDetectors.In(_folder.Sub($"s-seed{seed}.onnx")).Metadata, Is.Not.Empty);
            Assert.That(File.ReadAllBytes(_folder.Sub($"s-seed{seed}.onnx")).AsSpan(0, 2).SequenceEqual("PK"u8), Is.False,
                "no zip under the name of an .onnx");
        }
    }

    [Test]
    public void PlainTeacher_Teaches_AndIsLeftOutOfTheTable()
    {
        ToolRun run = ToolRun.Succeeding(["distill", "--data", Data, "--teacher", _folder.Sub("plain.onnx"), "--output",
            _folder.Sub("p.zip"), "--skip-invalid", .. Tiny]);
        Assert.That(run.Error, Does.Contain("plain.onnx' is the plain form").And.Contain("not measured"));
        Assert.That(run.Output, Does.Contain("student distilled  ").And.Not.Contain("teacher  "));
    }

    [Test]
    public void BrokenImage_IsNamed_ByBothKindsOfModel([Values("teacher.zip", "teacher.onnx")] string model)
    {
        foreach (string[] command in (string[][])[["evaluate", "--data", Data],
            ["predict", "--images", Path.Combine(Data, "JPEGImages"), "--output", _folder.Sub("none.json")]])
        {
            ToolRun run = ToolRun.Of([command[0], "--model", _folder.Sub(model), .. command[1..]]);
            Assert.That(run.ExitCode, Is.EqualTo(1));
            Assert.That(run.Error, Does.EndWith($"ml-distill: '{_broken}' is no image that can be read.{Environment.NewLine}"));
        }
    }

    [Test]
    public void ImageThatEndsEarly_IsNamed_ByBothKindsOfModel([Values("teacher.zip", "teacher.onnx")] string model)
    {
        string cut = _folder.Sub("cut/cut.jpg");
        byte[] content = File.ReadAllBytes(Path.Combine(Data, "JPEGImages", "scene_0001.jpg"));
        File.WriteAllBytes(cut, content[..^100]);
        ToolRun run = ToolRun.Of("predict", "--model", _folder.Sub(model), "--images", _folder.Sub("cut"), "--output",
            _folder.Sub("none.json"));
        Assert.That(run.ExitCode, Is.EqualTo(1));
        Assert.That(run.Error, Is.EqualTo(
            $"ml-distill: '{cut}' is no whole image: the file ends before the image does.{Environment.NewLine}"));
    }

    [Test]
    public void TrainingPart_WithoutAnyObject_IsSaidToBeSo()
    {
        string data = _folder.Sub("empty");
        SceneDataSet.Write(data, seed: 1, [("train", 2)]);
        foreach (string xml in Directory.GetFiles(Path.Combine(data, "Annotations")))
            File.WriteAllText(xml, System.Text.RegularExpressions.Regex
                .Replace(File.ReadAllText(xml), "<object>.*</object>", "", System.Text.RegularExpressions.RegexOptions.Singleline));
        ToolRun run = ToolRun.Of(["train", "--data", data, "--output", _folder.Sub("none.zip"), .. Tiny]);
        Assert.That(run.ExitCode, Is.EqualTo(1));
        Assert.That(run.Error, Does.Contain($"ml-distill: '{data}' has no object in its part 'train': there is nothing to train on."));
    }
}
