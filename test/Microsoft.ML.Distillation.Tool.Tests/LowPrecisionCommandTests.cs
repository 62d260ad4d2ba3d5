using System.Globalization;
using System.Text.RegularExpressions;
using Microsoft.ML.Distillation.Detectors;
using Microsoft.ML.Distillation.Model;
using Microsoft.ML.Distillation.Samples.Demo.Scenes;

namespace Microsoft.ML.Distillation.Tests.Tool;

public class LowPrecisionCommandTests
{
    private static readonly string[] Tiny =
        ["--backbone", "plain", "--widths", "8,8,16", "--input-size", "64", "--seed", "3", "--epochs", "1"];

    [Test]
    public void TrainDistilQuantize_MakeModelsOfThePrecisionAskedFor()
    {
        using var folder = new TemporaryFolder();
        string data = folder.Sub("data"), full = folder.Sub("full.zip");
        SceneDataSet.Write(data, seed: 1, [("train", 8), ("test", 3)]);
        ToolRun.Succeeding(["train", "--data", data, "--output", full, .. Tiny]);

        ToolRun.Succeeding(["train", "--data", data, "--output", folder.Sub("alone.zip"), .. Tiny, "--precision", "w2"]);
        ToolRun a = ToolRun.Succeeding(["distill", "--data", data, "--teacher", full, "--output", folder.Sub("a.zip"), .. Tiny,
            "--precision", "w4a8", "--scheme", "a"]);
        ToolRun c = ToolRun.Succeeding(["distill", "--data", data, "--teacher", full, "--output", folder.Sub("c.zip"), .. Tiny,
            "--precision", "w8a8", "--from", full, "--quantizer", "wrpn", "--quantize-all"]);
        Assert.That(a.Output, Does.Contain("student distilled").And.Not.Match("(?m)^\\W*teacher\\b"), "the given teacher did not teach");
        Assert.That(c.Output, Does.Contain("student distilled").And.Match("(?m)^\\W*teacher\\b"));
        Assert.That(a.Output, Does.Match("teacher.rcn.box [1-9]"));
        ToolRun unweighted = ToolRun.Succeeding(["distill", "--data", data, "--teacher", full, "--output", folder.Sub("a.zip"), .. Tiny,
            "--precision", "w4a8", "--scheme", "a", "--teacher-weight", "0"]);
        Assert.That(unweighted.Output, Does.Contain("teacher.rcn.box 0 %"));
        ToolRun quantised = ToolRun.Succeeding("quantize", "--model", full, "--images", Path.Combine(data, "JPEGImages"), "--output",
            folder.Sub("q.zip"), "--precision", "w4a8", "--calibration-images", "5");
        Assert.That(quantised.Output, Does.Contain("w4a8").And.Contain("5 images"));
        Assert.That(quantised.Output, Does.Not.Contain("changes AP"), "it is given no annotated images");
        ToolRun measured = ToolRun.Succeeding("quantize", "--model", full, "--images", Path.Combine(data, "JPEGImages"), "--output",
            folder.Sub("q.onnx"), "--data", data);
        Assert.That(measured.Output, Does.Match(@"(?m)^full precision\s+[\d.]+").And.Match(@"(?m)^quantized\s+[\d.]+"));
        Match cost = Regex.Match(measured.Output, @"changes AP by ([+-]?[\d.]+) points, on 3 images; its file is ([\d.]+) times smaller");
        Assert.That(cost.Success, measured.Output);
        double[] ap = [.. ((string[])["full precision", "quantized"]).Select(name => double.Parse(
            Regex.Match(measured.Output, $@"(?m)^{name}\s+([\d.]+)").Groups[1].Value, CultureInfo.InvariantCulture))];
        Assert.That(double.Parse(cost.Groups[1].Value, CultureInfo.InvariantCulture), Is.EqualTo(ap[1] - ap[0]).Within(.11),
            "the difference of the table's figures, each of which is rounded");
        Assert.That(double.Parse(cost.Groups[2].Value, CultureInfo.InvariantCulture),
            Is.EqualTo((double)new FileInfo(full).Length / new FileInfo(folder.Sub("q.onnx")).Length).Within(.06));
        ToolRun.Succeeding("evaluate", "--model", folder.Sub("q.zip"), "--data", data);

        Assert.That(PrecisionOf("full.zip"), Is.Null);
        Assert.That(PrecisionOf("alone.zip"), Is.EqualTo(LowPrecision.W2));
        Assert.That(PrecisionOf("a.zip"), Is.EqualTo(LowPrecision.W4A8));
        Assert.That(PrecisionOf("c.zip"), Is.EqualTo(LowPrecision.W8A8 with { Quantizer = QuantizerKind.Wrpn, FirstAndLastLayers = true }));
        Assert.That(PrecisionOf("q.zip"), Is.EqualTo(LowPrecision.W4A8));
        Assert.That(PrecisionOf("q.onnx"), Is.EqualTo(LowPrecision.W8A8));

        string broken = folder.Write("some/b.png", "no image");
        File.Copy(Directory.GetFiles(Path.Combine(data, "JPEGImages"))[0], folder.Sub("some/a.png"));
        ToolRun refused = ToolRun.Of("quantize", "--model", full, "--images", folder.Sub("some"), "--output", folder.Sub("none.zip"));
        Assert.That(refused.ExitCode, Is.EqualTo(1));
        Assert.That(refused.Error, Does.Contain(broken).And.Contain("the image cannot be read"));

        LowPrecision? PrecisionOf(string file)
        {
            using Detector detector = DetectorFile.Load(FittedDetectors.In(folder.Sub(file)));
            return detector.Precision;
        }
    }
}
