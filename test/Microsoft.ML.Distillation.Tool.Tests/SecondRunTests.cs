using System.Diagnostics;
using Microsoft.ML.Distillation.Samples.Demo.Scenes;

namespace Microsoft.ML.Distillation.Tests.Tool;

/// <summary>What a run finds that another one uses or left, and what it finds missing, before any work.</summary>
public class SecondRunTests
{
    private static readonly string[] Network =
        ["--backbone", "plain", "--widths", "4,4,8", "--input-size", "64", "--seed", "3", "--val-split", "none", "--test-split", "none"];

    private KilledRuns _runs = null!;

    [OneTimeSetUp]
    public void MakeData()
    {
        _runs = new KilledRuns();
        SceneDataSet.Write(_runs.At("data"), seed: 1, [("train", 6)]);
    }

    [OneTimeTearDown]
    public void DeleteData() => _runs.Dispose();

    [Test]
    public void ARunIntoAnothersOutput_OrCheckpoints_IsToldAtOnce_UntilThatRunIsGone()
    {
        string output = _runs.At("one.zip"), checkpoints = _runs.At("checkpoints");
        using Process first = _runs.Start(
            ["train", "--data", "data", "--output", "one.zip", "--checkpoints", "checkpoints", "--epochs", "100000", .. Network]);
        try
        {
            while (first.StandardOutput.ReadLine() is { } line && !line.Contains("epoch 1/", StringComparison.Ordinal))
            {
                // Until it trains.
            }

            ToolRun same = ToolRun.Of(["train", "--data", _runs.At("data"), "--output", output, "--epochs", "1", .. Network]);
            Assert.That((same.ExitCode, same.Output), Is.EqualTo((1, "")));
            Assert.That(same.Error, Does.Contain("another run writes").And.Contain(output).And.Contain("--output"));
            ToolRun other = ToolRun.Of(["train", "--data", _runs.At("data"), "--output", _runs.At("other.zip"),
                "--checkpoints", checkpoints,
                "--epochs", "1", .. Network]);
            Assert.That(other.ExitCode, Is.EqualTo(1));
            Assert.That(
                other.Error, Does.Contain("Another run keeps its checkpoints").And.Contain(checkpoints).And.Contain("--checkpoints"));
        }
        finally
        {
            first.Kill();
            first.WaitForExit();
        }

        ToolRun.Succeeding(["train", "--data", _runs.At("data"), "--output", output, "--epochs", "1", .. Network]);
        Assert.That(Directory.GetFiles(Path.GetDirectoryName(output)!, ".*"), Is.Empty, "neither locks nor parts are left");
    }

    [Test]
    public void InterruptedBeforeItsFirstEpochEnds_ItSaysThatThereIsNoModel()
    {
        if (OperatingSystem.IsWindows()) Assert.Ignore("Windows has no signal that a test can send to one process.");
        SceneDataSet.Write(_runs.At("many"), seed: 1, [("train", 200)]);
        using Process process = _runs.Start(
            ["train", "--data", "many", "--output", "stopped/none.zip", "--epochs", "5", "--batch-size", "1", "--verbose", .. Network]);
        Task<string> output = process.StandardOutput.ReadToEndAsync();
        // What ML.NET's log says before the first step.
        while (process.StandardError.ReadLine() is { } line && !line.Contains("Training on ", StringComparison.Ordinal))
        {
            // Until it trains.
        }

        Process.Start("kill", ["-INT", $"{process.Id}"]).WaitForExit();
        string error = process.StandardError.ReadToEnd();
        process.WaitForExit();
        Assert.That(process.ExitCode, Is.EqualTo(130), output.Result);
        Assert.That(output.Result, Does.Not.Contain("saved"));
        Assert.That(error, Does.Contain("no model is written"));
        Assert.That(Directory.GetFileSystemEntries(_runs.At("."), "stopped"), Is.Empty);
    }

    [TestCase("train", "--output", "x.zip", "--epochs", "1")]
    [TestCase("quantize", "--model", "{0}", "--images", "data/JPEGImages", "--output", "x.zip")]
    [TestCase("label", "--images", "data/JPEGImages", "--labelled", "data", "--teacher", "{1}", "--teacher-format", "ssd",
        "--teacher-classes", "names.txt", "--output", "x")]
    public void WithoutOnnxRuntimesLibrary_ItIsSaidBeforeAnyWork(params string[] args)
    {
        if (!OperatingSystem.IsLinux()) Assert.Ignore("Its file has other names elsewhere.");
        string program = _runs.At("program/ml-distill.dll"), folder = Path.GetDirectoryName(program)!;
        foreach (string file in Directory.GetFiles(AppContext.BaseDirectory))
        {
            string name = Path.GetFileName(file), to = Path.Combine(folder, name);
            if (File.Exists(to)) continue;
            // The host follows a link of the program itself to its folder.
            if (name.StartsWith("ml-distill.", StringComparison.Ordinal)) File.Copy(file, to);
            else if (name == "libonnxruntime.so") File.WriteAllText(to, "");
            else File.CreateSymbolicLink(to, file);
        }

        using var graph = new TeacherGraph("batch").Output("scores", [.1f, .8f, .1f], [1, 3]).Output("boxes", [.1f, .1f, .4f, .5f], [1, 4]);
        File.WriteAllLines(_runs.At("names.txt"), ["circle", "square"]);
        if (!File.Exists(_runs.At("model.zip")))
            ToolRun.Succeeding(["train", "--data", _runs.At("data"), "--output", _runs.At("model.zip"), "--epochs", "1", .. Network]);
        string[] all = [.. args.Select(word => word == "{0}" ? "model.zip" : word == "{1}" ? graph.Save() : word)];
        if (args[0] == "train") all = [.. all, "--data", "data", .. Network];
        var run = ProgramRun.Of(program, Path.GetDirectoryName(_runs.At("data/"))!.Replace("/data", ""), all);
        Assert.That(run.ExitCode, Is.EqualTo(1), run.Output + run.Error);
        Assert.That(run.Error, Does.Contain("ONNX Runtime's native library is missing").And.Contain("Microsoft.ML.OnnxRuntime"));
        Assert.That(run.Output, Does.Not.Contain("epoch 1/").And.Not.Contain("images/s"));
    }
}
