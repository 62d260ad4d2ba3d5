using Microsoft.ML.Distillation.Samples.Demo.Scenes;

namespace Microsoft.ML.Distillation.Tests.Tool;

/// <summary>--quiet leaves results and warnings, -v says more: in every command.</summary>
public class VerbosityTests
{
    private TemporaryFolder _folder = null!;

    [OneTimeSetUp]
    public void DrawData()
    {
        _folder = new TemporaryFolder();
        SceneDataSet.Write(_folder.Sub("data"), seed: 1, [("train", 6), ("val", 1), ("test", 1)]);
    }

    [OneTimeTearDown]
    public void DeleteData() => _folder.Dispose();

    [TestCase("train --data DATA --detector one-stage --backbone plain --widths 8,8 --input-size 64 --epochs 1 --run none -o OUT.zip",
        "saved ")]
    [TestCase("distill --data DRAWN --val-split none --teacher MODEL --student one-stage --backbone plain --widths 8,8 --input-size 64 "
        + "--epochs 1 --run none -o OUT.zip", "saved ")]
    [TestCase("evaluate --model MODEL --data DRAWN --split train", "AP50 ")]
    [TestCase("predict --model MODEL --images IMAGES -o OUT.json", " detections in ")]
    [TestCase("label --teacher MODEL --images IMAGES --labelled DRAWN -o OUT", " labels in ")]
    [TestCase("quantize --model MODEL --images IMAGES -o OUT.zip", "saved ")]
    [TestCase("compress --model TWOSTAGE --flops 0.7 -o OUT.zip", "saved ")]
    [TestCase("benchmark --model MODEL --runs 2", " ms an image")]
    [TestCase("inspect --data DATA", "no defects found")]
    [TestCase("convert --data DATA --to yolo -o OUT --copy-images", "saved ")]
    [TestCase("export --model MODEL -o OUT.onnx", "saved ")]
    [TestCase("weights list", "resnet18")]
    [TestCase("weights path", "weights")]
    public void EveryCommand_SaysLess_AndMore(string line, string result)
    {
        ToolRun quiet = Run("--quiet"), plain = Run(""), verbose = Run("-v");
        Assert.That(quiet.Output, Does.Contain(result), "results are said");
        Assert.That(quiet.Error, Is.Empty);
        Assert.That(quiet.Output + quiet.Error, Does.Not.Contain("format: ").And.Not.Contain("epoch 1/").And.Not.Contain("about "));
        Assert.That(plain.Output, Does.Contain(result));
        Assert.That(plain.Error, Does.Not.Contain("took "));
        Assert.That(verbose.Output, Does.Contain(result));
        Assert.That(verbose.Error, Does.StartWith("ml-distill ").And.Match(@"took \d+\.\d s\s*$"), "what runs, and how long it took");
        Assert.That(verbose.Error, Does.Not.Contain("Channel "));

        ToolRun Run(string how)
        {
            string output = _folder.Sub($"out-{Guid.NewGuid():N}");
            return ToolRun.Succeeding([.. line.Split(' ').Append(how).Where(word => word.Length > 0).Select(word => word switch
            {
                "DATA" => _folder.Sub("data"),
                "DRAWN" => TrainedModels.Images.Path,
                "IMAGES" => TrainedModels.Images.At("JPEGImages"),
                "MODEL" => TrainedModels.OneStage,
                "TWOSTAGE" => TrainedModels.TwoStage,
                _ => word.StartsWith("OUT", StringComparison.Ordinal) ? output + word[3..] : word,
            })]);
        }
    }

    [Test]
    public void Distill_SaysWhatTheStudentLearns()
    {
        const string Small = "--student one-stage --backbone plain --widths 8,8 --input-size 64 --epochs 1 --val-split none --run none";
        Assert.That(ToolRun.Succeeding(["distill", "--data", TrainedModels.Images.Path, "--teacher", TrainedModels.OneStage,
            "-o", _folder.Sub("learns.zip"), .. Small.Split(' ')]).Error, Does.Contain("What it learns: hint "));
    }
}
