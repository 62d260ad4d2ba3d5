using Microsoft.ML.Distillation.Samples.Demo.Scenes;

namespace Microsoft.ML.Distillation.Tests.Tool;

public class OneStageCommandTests
{
    [Test]
    public void TrainAndDistil_TakeAOneStageStudent_AndLaterLosses()
    {
        using var folder = new TemporaryFolder();
        string data = folder.Sub("data"), teacher = folder.Sub("teacher.zip");
        SceneDataSet.Write(data, seed: 1, [("train", 8), ("val", 2), ("test", 3)]);
        string[] tiny = ["--data", data, "--student", "one-stage", "--backbone", "plain", "--widths", "4,8,8", "--input-size", "64",
            "--channels", "16", "--epochs", "1"];
        ToolRun train = ToolRun.Succeeding(["train", .. tiny, "--output", teacher, "--strides", "8,16", "--assignment", "atss"]);
        Assert.That(train.Output, Does.Contain("box.edges"));
        ToolRun distill = ToolRun.Succeeding(
            ["distill", .. tiny, "--teacher", teacher, "--output", folder.Sub("student.zip"), "--strides", "8,16",
                "--feature-loss", "pkd=4,cwd", "--dist-weight", "1", "--ld-weight", "0.25", "--crosskd-weight", "1"]);
        Assert.That(distill.Output, Does.Contain("pkd").And.Contain("cwd").And.Contain("crosshead").And.Contain("class.relations").And.Not
            .Contain("hint"));
    }

    [Test]
    public void AOneStageTeacher_Labels()
    {
        using var folder = new TemporaryFolder();
        using DrawnFolder labelled = new(train: 4, val: 0, test: 0), more = new(train: 6, val: 0, test: 0);
        string data = labelled.Path, others = more.At("JPEGImages");
        string[] tiny = ["--student", "one-stage", "--backbone", "plain", "--widths", "4,8,8", "--input-size", "64", "--val-split",
            "none", "--test-split", "none"];
        string[] teacher = ["--teacher", TrainedModels.OneStage];

        ToolRun label = ToolRun.Succeeding(
            ["label", .. teacher, "--images", others, "--labelled", data, "--output", folder.Sub("labels"), "--scales", "1"]);
        Assert.That(label.Output, Does.Match("[1-9][0-9]* labels in [1-6] of 6 images"));
        ToolRun beside = ToolRun.Succeeding(["distill", "--data", data, .. tiny, .. teacher, "--unlabelled", others, "--epochs", "1",
            "--output", folder.Sub("beside.zip")]);
        Assert.That(beside.Output, Does.Contain("epoch 1/1"));
        // Of the images that it learned from it is sure.
        string[] alone = ["distill", "--data", Path.Combine(data, "JPEGImages"), "--no-labels", .. tiny[..^4], .. teacher, "--epochs", "1",
            "--output", folder.Sub("alone.zip")];
        Assert.That(ToolRun.Succeeding(alone).Output, Does.Contain("epoch 1/1"));
    }

    [TestCase("--channels goes with --student one-stage", "--student", "faster-rcnn", "--channels", "16")]
    [TestCase("--fpn and --head-width do not go with --student balanced", "--head-width", "16")]
    [TestCase("--student must be one of", "--student", "yolo")]
    [TestCase("--strides must be whole numbers", "--student", "one-stage", "--strides", "8,x")]
    [TestCase("--strides is a list", "--student", "one-stage", "--strides", "8,32")]
    [TestCase("--neck must be one of", "--student", "one-stage", "--neck", "giraffe")]
    [TestCase("--fpn and --head-width", "--student", "one-stage", "--fpn", "16")]
    [TestCase("--feature-loss must be one of", "--feature-loss", "fgd")]
    [TestCase("--feature-loss pkd must have a weight", "--feature-loss", "pkd=much")]
    public void WrongUse_ExitsWith2_AndOneLine(string message, params string[] arguments)
    {
        ToolRun run = ToolRun.Of(["distill", "--data", "none", "--teacher", "none.zip", "--output", "none.zip", .. arguments]);
        Assert.That(run.ExitCode, Is.EqualTo(2), run.Error);
        Assert.That(run.Error, Does.Contain(message));
        Assert.That(run.Error.TrimEnd().Split('\n'), Has.Length.EqualTo(1), run.Error);
    }
}
