using System.Diagnostics;
using System.Globalization;
using System.Text.RegularExpressions;
using Microsoft.ML.Distillation.Detectors.Boxes;
using Microsoft.ML.Distillation.Detectors.Weights;
using Microsoft.ML.Distillation.Formats;
using Microsoft.ML.Distillation.Model;
using Microsoft.ML.Distillation.Samples.Demo.Scenes;
using Microsoft.ML.Distillation.Tensors;

namespace Microsoft.ML.Distillation.Tests.Tool;

public class TrainingCommandsTests
{
    private static readonly string[] Tiny = ["--backbone", "plain", "--input-size", "64", "--seed", "3"];

    private TemporaryFolder _folder = null!;

    private string Data => _folder.Sub("data");

    [OneTimeSetUp]
    public void DrawData()
    {
        _folder = new TemporaryFolder();
        SceneDataSet.Write(Path.Combine(_folder.Path, "data"), seed: 1, [("train", 8), ("val", 2), ("test", 3)]);
    }

    [OneTimeTearDown]
    public void DeleteData() => _folder.Dispose();

    [Test]
    public void TrainDistilEvaluatePredictExport_WorkOnOneAnothersFiles()
    {
        string teacher = _folder.Sub("teacher.zip"), student = _folder.Sub("student.zip"), onnx = _folder.Sub("student.onnx");
        ToolRun train = ToolRun.Succeeding(["train", "--data", Data, "--output", teacher, .. Tiny, "--epochs", "1", "--widths", "8,8,16"]);
        Assert.That(train.Output, Does.Contain("train: epoch 1/1  loss ").And.Contain("AP50").And.Contain("ms/image"));

        ToolRun distill = ToolRun.Succeeding(["distill", "--data", Data, "--teacher", teacher, "--output", student, "--control", .. Tiny,
            "--epochs", "1", "--widths", "4,4,8"]);
        Assert.That(distill.Output, Does.Contain("student distilled").And.Contain("student alone + L2").And.Contain("teacher"));
        foreach (string control in (string[])["student alone", "student alone + L2"])
        {
            double worse = Ap(control) - Ap("student distilled");
            if (worse > 0.05) Assert.That(distill.Error, Does.Contain($"the {control} {Ap(control):0.0}"), "a loss is not passed over");
            if (worse < -0.05) Assert.That(distill.Error, Does.Not.Contain($"the {control} "));
        }

        double Ap(string name) => double.Parse(
            Regex.Match(distill.Output, $@"^{Regex.Escape(name)}\s+([\d.]+)", RegexOptions.Multiline).Groups[1].Value,
            CultureInfo.InvariantCulture);
        Assert.That(File.Exists(_folder.Sub("student-alone.zip")) && File.Exists(_folder.Sub("student-l2.zip")));

        ToolRun.Succeeding("export", "--model", student, "--output", onnx);
        ToolRun.Succeeding("export", "--model", student, "--output", _folder.Sub("plain.onnx"), "--plain");
        ToolRun fromZip = ToolRun.Succeeding("evaluate", "--model", student, "--data", Data);
        ToolRun fromOnnx = ToolRun.Succeeding("evaluate", "--model", onnx, "--data", Data, "--split", "test");
        Assert.That(fromZip.Output, Does.StartWith("AP    ").And.EqualTo(fromOnnx.Output));

        string images = Path.Combine(Data, "JPEGImages");
        ToolRun.Succeeding("predict", "--model", student, "--images", images, "--output", _folder.Sub("zip.json"), "--draw",
            _folder.Sub("drawn"));
        ToolRun.Succeeding("predict", "--model", onnx, "--images", images, "--output", _folder.Sub("onnx.json"));
        IReadOnlyList<CocoDetection> one = CocoResults.Read(_folder.Sub("zip.json")), other = CocoResults.Read(_folder.Sub("onnx.json"));
        Assert.That(one.Select(d => (d.Image, d.Category, d.Score)), Is.EqualTo(other.Select(d => (d.Image, d.Category, d.Score))));
        Assert.That(Directory.GetFiles(_folder.Sub("drawn")), Has.Length.EqualTo(13));
    }

    [Test]
    public void Weights_AreWhatTheBackboneStartsFrom()
    {
        string weights = TestData.Model("shufflenetv2_x0_5_backbone.pth"), output = _folder.Sub("pretrained.zip");
        string[] command = ["train", "--data", Data, "--output", output, "--input-size", "64", "--epochs", "1", "--learning-rate", "1e-9"];
        ToolRun.Succeeding([.. command, "--backbone", "shufflenet-0.5", "--weights", weights]);
        using var file = WeightsFile.Open(weights);
        using TorchSharp.torch.Tensor first = file
            .Read(file.Tensors.Keys.Single(name => name.EndsWith("first_conv.0.weight", StringComparison.Ordinal)));
        float[] stored = TensorArrays.Floats(first), trained = FittedDetectors.In(output).Parameters()["backbone.conv1.0.weight"].Values
            .ToArray();
        Assert.That(trained, Is.EqualTo(stored).Within(1e-4f));

        ToolRun other = ToolRun.Of([.. command, "--backbone", "resnet18", "--weights", weights]);
        Assert.That(other.ExitCode, Is.EqualTo(1));
        Assert.That(other.Error, Does.Contain("conv1.weight").And.Contain(Path.GetFileName(weights)));
    }

    [Test]
    public void SeveralSeeds_AreComparedInPairs()
    {
        string teacher = _folder.Sub("teacher.zip");
        ToolRun.Succeeding(["train", "--data", Data, "--output", teacher, .. Tiny, "--epochs", "1", "--widths", "8,8,16"]);
        ToolRun run = ToolRun.Succeeding(
            ["distill", "--data", Data, "--teacher", teacher, "--output", _folder.Sub("s.zip"), "--control", "--seeds", "2",
                .. Tiny, "--epochs", "1", "--widths", "4,4,8"]);
        foreach (string model in (string[])["s-seed3.zip", "s-seed3-alone.zip", "s-seed4.zip", "s-seed4-l2.zip"]) Assert
            .That(File.Exists(_folder.Sub(model)), model);
        Assert.That(run.Output, Does.Contain("student distilled - student alone: ").And.Contain("95 % of 2 pairs"));

        ToolRun.Succeeding(["distill", "--data", Data, "--teacher", teacher, "--output", _folder.Sub("one.zip"), .. Tiny, "--epochs", "1",
            "--widths", "4,4,8"]);
        Assert.That(
            FittedDetectors.In(_folder.Sub("one.zip")).ToBytes(), Is.EqualTo(FittedDetectors.In(_folder.Sub("s-seed3.zip")).ToBytes()),
            "a student beside its controls is the student without them");
    }

    [Test]
    public void InterruptedTraining_SavesTheBestModelSoFar()
    {
        if (OperatingSystem.IsWindows()) Assert.Ignore("Windows has no signal that a test can send to one process.");
        string output = _folder.Sub("interrupted.zip");
        bool sent = false;
        ProgramRun run = ProgramRun.Of(
            Path.Combine(AppContext.BaseDirectory, "ml-distill.dll"), _folder.Path,
            ["train", "--data", Data, "--output", output, .. Tiny, "--epochs", "10000"],
            (process, line) =>
            {
                if (sent || !line.Contains("epoch 2/", StringComparison.Ordinal)) return;
                sent = true;
                Process.Start("kill", ["-INT", process.Id.ToString(CultureInfo.InvariantCulture)]).WaitForExit();
            });
        Assert.That(run.ExitCode, Is.EqualTo(130), run.Error);
        Assert.That(run.Error, Does.Contain("the best model so far will be saved"));
        ToolRun.Succeeding("evaluate", "--model", output, "--data", Data);
    }

    [Test]
    public void BadAnnotation_ExitsWith1_AndNamesTheFile()
    {
        string data = _folder.Sub("bad");
        SceneDataSet.Write(data, seed: 2, [("train", 2)]);
        string xml = Path.Combine(data, "Annotations", "scene_0001.xml");
        File.WriteAllText(xml, File.ReadAllText(xml).Replace("<xmin>", "<xmin>x"));
        ToolRun run = ToolRun.Of(["train", "--data", data, "--output", _folder.Sub("none.zip"), .. Tiny, "--epochs", "1"]);
        Assert.That(run.ExitCode, Is.EqualTo(1));
        Assert.That(run.Error, Does.StartWith("ml-distill: ").And.Contain("scene_0001.xml"));
        Assert.That(run.Error.TrimEnd().Split('\n'), Has.Length.EqualTo(1), run.Error);
        Assert.That(File.Exists(_folder.Sub("none.zip")), Is.False);
    }
}
