using Microsoft.ML.Distillation.Detectors.Backbones;
using Microsoft.ML.Distillation.Model;
using Microsoft.ML.Distillation.Onnx;
using Microsoft.ML.Distillation.Samples.Demo.Scenes;

namespace Microsoft.ML.Distillation.Tests.Tool;

public class CompressCommandTests
{
    [Test]
    public void ACompressedDetector_IsAModelLikeAnyOther_AndIsTrainedFurther()
    {
        using var folder = new TemporaryFolder();
        string data = folder.Sub("data"), whole = folder.Sub("whole.zip"), parts = folder.Sub("parts.zip"),
        further = folder.Sub("further.zip");
        SceneDataSet.Write(data, seed: 1, [("train", 4), ("val", 2), ("test", 3)]);
        ToolRun.Succeeding("train", "--data", data, "--output", whole, "--backbone", "plain", "--widths", "8,16,24", "--input-size", "64",
            "--epochs", "1");

        ToolRun compress = ToolRun.Succeeding("compress", "--model", whole, "--flops", "0.4", "--head-flops", "0.5", "--output", parts);
        Assert.That(compress.Output, Does.Contain("backbone.conv2").And.Contain("head.fc6").And.Contain("error").And
            .Contain($"saved {parts}"));
        ToolRun.Succeeding("compress", "--model", whole, "--flops", "0.4", "--head-flops", "0.5", "--output", folder.Sub("parts.onnx"));
        Assert.That(FittedDetectors.In(parts).ToBytes(), Is.EqualTo(FittedDetectors.In(folder.Sub("parts.onnx")).ToBytes()));
        Assert.That(ToolRun.Succeeding("evaluate", "--model", parts, "--data", data).Output, Does.StartWith("AP    "),
            "the .zip is a whole pipeline");

        ToolRun.Succeeding(
            "distill", "--data", data, "--teacher", whole, "--from", parts, "--output", further, "--epochs", "1", "--learning-rate",
            "1e-9");
        IReadOnlyDictionary<string, OnnxTensor> start = FittedDetectors.In(parts).Parameters(),
        end = FittedDetectors.In(further).Parameters();
        foreach (string name in (string[])["backbone.conv2.core.weight", "backbone.conv3.reduce.weight", "head.fc6.expand.weight",
            "rpn.conv.weight"])
            Assert.That(end[name].Values, Is.EqualTo(start[name].Values).Within(1e-5f), name);

        ToolRun single = ToolRun.Succeeding("compress", "--model", whole, "--rank", "backbone.conv2=5,7", "--rank", "head.fc6=9",
            "--output", folder.Sub("single.zip"));
        Assert.That(single.Output, Does.Contain("backbone.conv2").And.Contain("head.fc6").And.Not.Contain("backbone.conv3"));
        IReadOnlyDictionary<string, OnnxTensor> chosen = FittedDetectors.In(folder.Sub("single.zip")).Parameters();
        Assert.That(chosen["backbone.conv2.core.weight"].Shape.Take(2), Is.EqualTo(new[] { 7, 5 }));
        Assert.That(chosen["head.fc6.reduce.weight"].Shape[0], Is.EqualTo(9));
        foreach ((string[] wrong, string reason) in new (string[], string)[]
        {
            ([], "--flops, --head-flops or --rank"), (["--rank", "head.fc6"], "not 'head.fc6'"),
            (["--rank", "head.fc6=0"], "not 'head.fc6=0'"),
            (["--rank", "head.fc6=9", "--rank", "head.fc6=8"], "twice"),
        })
        {
            ToolRun refused = ToolRun.Of(["compress", "--model", whole, "--output", folder.Sub("none.zip"), .. wrong]);
            Assert.That((refused.ExitCode, refused.Error), Is.EqualTo((2, refused.Error)));
            Assert.That(refused.Error, Does.Contain(reason));
        }

        ToolRun.Succeeding("quantize", "--model", whole, "--images", Path.Combine(data, "JPEGImages"), "--precision", "w4a8", "--output",
            folder.Sub("low.zip"));
        ToolRun low = ToolRun.Of("compress", "--model", folder.Sub("low.zip"), "--flops", "0.4", "--output", folder.Sub("none.zip"));
        Assert.That((low.ExitCode, low.Error), Is.EqualTo((1, low.Error)));
        Assert.That(low.Error, Does.Contain("low precision (w4a8)"));

        ToolRun twice = ToolRun.Of("compress", "--model", parts, "--flops", "0.4", "--output", folder.Sub("none.zip"));
        Assert.That((twice.ExitCode, File.Exists(folder.Sub("none.zip"))), Is.EqualTo((1, false)));
        Assert.That(twice.Error, Does.Contain("in parts already"));
    }
}
