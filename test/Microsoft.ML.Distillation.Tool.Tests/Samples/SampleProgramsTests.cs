using Microsoft.ML.Distillation.Samples.Demo.Scenes;

namespace Microsoft.ML.Distillation.Tests.Samples;

public class SampleProgramsTests
{
    [Test]
    public void QuickStart_MakesModels_ThatInferenceRunsWithoutLibtorch()
    {
        using var folder = new TemporaryFolder();
        SceneDataSet.Write(folder.Sub("data"), seed: 1, [("train", 6), ("test", 2)]);
        ProgramRun training = ProgramRun.Of(ProgramRun.Find("Samples/QuickStart"), folder.Path, ["data", "1"]);
        Assert.That(training.ExitCode, Is.Zero, training.Error);
        Assert.That(training.Output, Does.Contain("teacher: AP 0.").And.Contain("student: AP 0."));

        string inference = ProgramRun.Find("Samples/Inference");
        Assert.That(Directory.GetFiles(Path.GetDirectoryName(inference)!, "*torch_cpu*", SearchOption.AllDirectories), Is.Empty);
        string[] images = Directory.GetFiles(Path.Combine(folder.Path, "data", "JPEGImages"));
        ProgramRun fromZip = ProgramRun.Of(inference, folder.Path, ["student.zip", .. images]);
        ProgramRun fromOnnx = ProgramRun.Of(inference, folder.Path, ["student.onnx", .. images]);
        ProgramRun fromPipeline = ProgramRun.Of(inference, folder.Path, ["--pipeline", "student.zip", .. images]);
        Assert.That(fromZip.ExitCode, Is.Zero, fromZip.Error);
        Assert.That(fromZip.Output, Does.Contain(".jpg: ").And.EqualTo(fromOnnx.Output));
        Assert.That(fromPipeline.Output, Is.EqualTo(fromOnnx.Output), fromPipeline.Error);
    }

    [Test]
    public void Demo_TakesTheUsersData_AndMakesItsFolder()
    {
        using var folder = new TemporaryFolder();
        SceneDataSet.Write(folder.Sub("data"), seed: 1, [("train", 4), ("test", 3)]);
        File.WriteAllText(Path.Combine(folder.Path, "data", "JPEGImages", "scene_0005.jpg"), "no image");
        ProgramRun run = ProgramRun.Of(ProgramRun.Find("Samples/Demo"), folder.Path, ["--data", "data", "--epochs", "1"]);
        Assert.That(run.ExitCode, Is.Zero, run.Error);
        Assert.That(run.Output, Does.Contain("teacher  ").And.Contain("student alone  ").And.Contain("student distilled  "));
        string output = Path.Combine(folder.Path, "artifacts", "demo");
        Assert.That(Directory.GetFiles(output).Select(Path.GetFileName),
            Is.EquivalentTo(new[] { "teacher.zip", "student-alone.zip", "student.zip", "student.onnx" }));
        Assert.That(Directory.GetFiles(Path.Combine(output, "pictures")), Has.Length.EqualTo(2));
    }

    [Test]
    public void Demo_SaysInOneLine_WhatIsWrongWithTheData()
    {
        using var folder = new TemporaryFolder();
        ProgramRun run = ProgramRun.Of(ProgramRun.Find("Samples/Demo"), folder.Path, ["--data", "nowhere"]);
        Assert.That(run.ExitCode, Is.EqualTo(1));
        Assert.That(run.Error, Does.StartWith("demo: ").And.Contain("nowhere"));
        Assert.That(run.Error.TrimEnd().Split('\n'), Has.Length.EqualTo(1), run.Error);
    }

    [TestCase("Samples/QuickStart")]
    [TestCase("Samples/Inference")]
    [TestCase("Samples/Demo", "--bogus")]
    public void WrongUse_ExitsWith2_AndSaysHow(string project, params string[] args)
    {
        ProgramRun run = ProgramRun.Of(ProgramRun.Find(project), Path.GetTempPath(), args);
        Assert.That(run.ExitCode, Is.EqualTo(2));
        Assert.That(run.Error, Does.StartWith("usage: "));
    }
}
