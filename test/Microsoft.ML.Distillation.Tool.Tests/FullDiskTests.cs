using System.Diagnostics;
using Microsoft.ML.Distillation.Samples.Demo.Scenes;

namespace Microsoft.ML.Distillation.Tests.Tool;

/// <summary>A disk that is full, wherever something is to be written: nothing half written stays, and what was trained is kept.</summary>
[NonParallelizable]
public class FullDiskTests
{
    private static readonly string[] Network =
        ["--backbone", "plain", "--widths", "8,8,16", "--input-size", "64", "--seed", "3", "--val-split", "none", "--test-split", "none",
            "--epochs", "1"];

    private TemporaryFolder _folder = null!;
    private string _small = null!;

    [OneTimeSetUp]
    public void MountASmallDisk()
    {
        if (!OperatingSystem.IsLinux()) Assert.Ignore("Small disks are mounted on Linux alone.");
        _folder = new TemporaryFolder();
        SceneDataSet.Write(_folder.Sub("data"), seed: 1, [("train", 6)]);
        _small = Directory.CreateDirectory(_folder.Sub("small")).FullName;
        if (Mount("-t", "tmpfs", "-o", "size=16k", "tmpfs", _small) is { } problem)
            Assert.Ignore($"No disk can be mounted here, which takes root: {problem}");
    }

    [OneTimeTearDown]
    public void Unmount()
    {
        if (_folder is null) return;
        if (_small is not null) Run("umount", _small);
        _folder.Dispose();
    }

    [TearDown]
    public void Empty()
    {
        foreach (string path in Directory.GetFileSystemEntries(_small))
        {
            if (Directory.Exists(path)) Directory.Delete(path, recursive: true);
            else File.Delete(path);
        }
    }

    [Test]
    public void TheOutputs_KeepsWhatWasTrainedElsewhere()
    {
        string? data = Environment.GetEnvironmentVariable("XDG_DATA_HOME");
        Environment.SetEnvironmentVariable("XDG_DATA_HOME", _folder.Sub("home"));
        try
        {
            ToolRun run = ToolRun.Of(["train", "--data", _folder.Sub("data"), "--output", Path.Combine(_small, "model.zip"), "--run",
                "none", .. Network]);
            Assert.That(run.ExitCode, Is.EqualTo(1), run.Error);
            string kept = Directory.GetFiles(_folder.Sub("home"), "*.onnx", SearchOption.AllDirectories).Single();
            Assert.That(run.Error, Does.Contain("space").And.Contain($"ml-distill export --model {kept}"));
            Assert.That(Directory.GetFileSystemEntries(_small), Is.Empty);
            ToolRun.Succeeding("export", "--model", kept, "--output", _folder.Sub("finished.zip"));
            ToolRun.Succeeding("evaluate", "--model", _folder.Sub("finished.zip"), "--data", _folder.Sub("data"));
        }
        finally
        {
            Environment.SetEnvironmentVariable("XDG_DATA_HOME", data);
        }
    }

    [Test]
    public void TheCheckpoints_IsSaid_AndHoldsNothingHalfWritten()
    {
        ToolRun run = ToolRun.Of(
            ["train", "--data", _folder.Sub("data"), "--output", _folder.Sub("never.zip"), "--checkpoints", _small, .. Network]);
        Assert.That(run.ExitCode, Is.EqualTo(1), run.Error);
        Assert.That(run.Error, Does.Contain("training.checkpoint").And.Contain("space"));
        Assert.That(Directory.GetFileSystemEntries(_small), Is.Empty);
        Assert.That(File.Exists(_folder.Sub("never.zip")), Is.False);
    }

    [Test]
    public void TheTeachersAnswers_OnlyMeansThatTheyAreNotKept()
    {
        // A thousand boxes, which take more than there is.
        float[] boxes = [.. Enumerable.Range(0, 1000).SelectMany(i => (float[])[.1f, .1f, .4f + i * 1e-4f, .5f])];
        float[] scores = [.. Enumerable.Range(0, 1000).SelectMany(_ => (float[])[.1f, .8f, .1f])];
        using var graph = new TeacherGraph("batch").Output("scores", scores, [1000, 3]).Output("boxes", boxes, [1000, 4]);
        ToolRun.Succeeding(["train", "--data", _folder.Sub("data"), "--output", _folder.Sub("classes.zip"), .. Network]);
        File.WriteAllLines(_folder.Sub("names.txt"), TrainedDetector.FromModel(_folder.Sub("classes.zip")).ClassNames.Take(2));
        ToolRun.Succeeding(
            ["distill", "--data", _folder.Sub("data"), "--teacher", graph.Save(), "--teacher-format", "ssd", "--teacher-classes",
                _folder.Sub("names.txt"), "--teacher-cache", _small, "--output", _folder.Sub("student.zip"), .. Network]);
        Assert.That(Directory.GetFiles(_small, "*", SearchOption.AllDirectories), Has.None.Contains(".part"));
    }

    [Test]
    public void Labels_StopsThem_AndTheyGoOnWhereThereIsRoom()
    {
        SceneDataSet.Write(_folder.Sub("more"), seed: 2, [("train", 12)]);
        string teacher = _folder.Sub("labeller.zip");
        ToolRun.Succeeding(["train", "--data", _folder.Sub("data"), "--output", teacher, .. Network]);
        string[] Command(string output) => ["label", "--images", Path.Combine(_folder.Sub("more"), "JPEGImages"), "--labelled",
            _folder.Sub("data"), "--teacher", teacher, "--least-score", "1e-6", "--label-score", "1e-6", "--output", output];
        // The first line says where the images are, seen from there.
        string[] LinesOf(string output) => [.. File.ReadLines(Path.Combine(output, ".shards", "shard-1-of-1.jsonl")).Skip(1)];
        string whole = _folder.Sub("whole");
        ToolRun.Succeeding(Command(whole));
        string full = Path.Combine(_small, "labels");
        ToolRun run = ToolRun.Of(Command(full));
        Assert.That(run.ExitCode, Is.EqualTo(1), run.Error);
        Assert.That(run.Error, Does.Contain("space"));
        Assert.That(Mount("-o", "remount,size=16m", _small), Is.Null);
        try
        {
            ToolRun.Succeeding(Command(full));
            Assert.That(LinesOf(full), Is.EqualTo(LinesOf(whole)));
        }
        finally
        {
            Empty();
            Mount("-o", "remount,size=16k", _small);
        }
    }

    private static string? Mount(params string[] args) => Run("mount", args);

    /// <summary>Why a program failed, or null.</summary>
    private static string? Run(string program, params string[] args)
    {
        try
        {
            using Process process = Process.Start(new ProcessStartInfo(program, args) { RedirectStandardError = true })!;
            string error = process.StandardError.ReadToEnd();
            process.WaitForExit();
            return process.ExitCode == 0 ? null : $"{program}: {error.Trim()}";
        }
        catch (System.ComponentModel.Win32Exception e)
        {
            return e.Message;
        }
    }
}
