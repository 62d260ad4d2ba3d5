using Microsoft.ML.Distillation.Samples.Demo.Scenes;
using Microsoft.ML.Distillation.Tests.Detectors.Graphs;

namespace Microsoft.ML.Distillation.Tests.Tool;

/// <summary>Backbones of ONNX graphs on the command line.</summary>
public class OnnxBackboneCommandTests
{
    [Test]
    public void TrainDistilAndFineTune_OnGraphs_WhoseFilesMayGo()
    {
        using var folder = new TemporaryFolder();
        string data = folder.Sub("data"), teacher = folder.Sub("teacher.zip"), student = folder.Sub("student.onnx");
        SceneDataSet.Write(data, seed: 1, [("train", 8), ("val", 2), ("test", 3)]);
        string[] common = ["--data", data, "--input-size", "64", "--epochs", "1", "--verbose"];
        using (var trunk = new TrunkFile())
        {
            ToolRun train = ToolRun.Succeeding(["train", .. common, "--backbone", trunk.Path, "--maps", "/layer4/out,/layer3/out",
                "--fpn", "16", "--backbone-preset", "yolox", "--backbone-std", "60,60,60", "--output", teacher]);
            Assert.That(train.Error, Does.Contain("trunk.onnx' up to '/layer3/out', '/layer4/out'; its 8 batch normalisations"));
        }

        using (var trunk = new TrunkFile(folded: true))
        {
            ToolRun distill = ToolRun.Succeeding(["distill", .. common, "--backbone", trunk.Path, "--student", "one-stage",
                "--channels", "16", "--teacher", teacher, "--hint", "/layer3/out=/layer3/out", "--output", student]);
            Assert.That(distill.Output, Does.Contain("hint"));
            Assert.That(distill.Error, Does.Contain("folded into its convolutions"));
        }

        ToolRun.Succeeding(["distill", .. common, "--teacher", teacher, "--from", student, "--student", "one-stage",
            "--output", folder.Sub("tuned.zip")]);
        ToolRun.Succeeding("evaluate", "--model", folder.Sub("tuned.zip"), "--data", data, "--split", "test");
        ToolRun.Succeeding(["distill", .. common, "--backbone", "plain", "--teacher", student, "--output", folder.Sub("small.zip")]);
    }

    /// <summary>What was chosen where nobody named maps is seen without --verbose, as results depend on it.</summary>
    [Test]
    public void MapsThatWereChosen_AreSaid()
    {
        using var folder = new TemporaryFolder();
        SceneDataSet.Write(folder.Sub("data"), seed: 1, [("train", 4), ("val", 2)]);
        using var trunk = new TrunkFile();
        ToolRun train = ToolRun.Succeeding("train", "--data", folder.Sub("data"), "--input-size", "64", "--epochs", "1",
            "--backbone", trunk.Path, "--output", folder.Sub("model.zip"));
        Assert.That(train.Error, Does.Contain("The backbone starts from trunk.onnx").And.Contain("'/layer3/out' (stride 8, 12 channels)")
            .And.Contain("no tensors were named"));
    }

    [TestCase(2, "--maps goes with --backbone FILE.onnx", "--maps", "a")]
    [TestCase(2, "--backbone-mean goes with --backbone FILE.onnx", "--backbone-mean", "1,2,3")]
    [TestCase(2, "--backbone must be one of", "--backbone", "resnet19")]
    [TestCase(2, "--backbone-preset must be one of", "--backbone", "TRUNK", "--backbone-preset", "caffe")]
    [TestCase(2, "--backbone-mean is three numbers", "--backbone", "TRUNK", "--backbone-mean", "1,2")]
    [TestCase(2, "--backbone-std is three numbers above 0", "--backbone", "TRUNK", "--backbone-std", "1,0,1")]
    [TestCase(2, "--maps: The graph of", "--backbone", "TRUNK", "--maps", "/layer3/uot")]
    [TestCase(2, "--stages of an ONNX graph, the number of its maps, is from 1 to 3", "--backbone", "TRUNK", "--stages", "4")]
    [TestCase(2, "--weights is not for an ONNX graph", "--backbone", "TRUNK", "--weights", "TRUNK")]
    [TestCase(2, "--maps: a quote is not closed", "--backbone", "TRUNK", "--maps", "\"a,b")]
    [TestCase(2, "no tensor 'a,b c'", "--backbone", "TRUNK", "--maps", "/layer3/out, \"a,b c\" ,/layer4/out")]
    [TestCase(1, "--backbone: there is no file", "--backbone", "none.onnx")]
    public void WhatDoesNotFit_IsOneLine_ThatNamesTheOption(int exitCode, string message, params string[] arguments)
    {
        using var trunk = new TrunkFile();
        arguments = [.. arguments.Select(argument => argument == "TRUNK" ? trunk.Path : argument)];
        ToolRun run = ToolRun.Of(["train", "--data", "none", "--output", "none.zip", .. arguments]);
        Assert.That(run.ExitCode, Is.EqualTo(exitCode), run.Error);
        Assert.That(run.Error, Does.Contain(message));
        Assert.That(run.Error.TrimEnd().Split('\n'), Has.Length.EqualTo(1), run.Error);
    }
}
