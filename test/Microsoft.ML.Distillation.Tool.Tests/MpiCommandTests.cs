using System.Globalization;
using System.Text.RegularExpressions;
using Microsoft.ML.Distillation.Model;
using Microsoft.ML.Distillation.Samples.Demo.Scenes;

namespace Microsoft.ML.Distillation.Tests.Tool;

/// <summary>The command as the processes of an MPI job.</summary>
public class MpiCommandTests
{
    private static readonly string Command = ProgramRun.Find("Microsoft.ML.Distillation.Tool", name: "ml-distill");
    private static readonly string[] Tiny =
        ["--backbone", "plain", "--widths", "4,4,8", "--input-size", "64", "--epochs", "2", "--seed", "3"];

    private TemporaryFolder _folder = null!;

    private string Data => _folder.Sub("data");

    [OneTimeSetUp]
    public void DrawData()
    {
        _folder = new TemporaryFolder();
        SceneDataSet.Write(Path.Combine(_folder.Path, "data"), seed: 1, [("train", 8), ("val", 3), ("test", 3)]);
    }

    [OneTimeTearDown]
    public void DeleteData() => _folder.Dispose();

    [Test]
    public void TwoProcesses_DistilTheStudentOfOne_AndOneSpeaks()
    {
        string teacher = _folder.Sub("teacher.zip"), alone = _folder.Sub("alone.zip"), together = _folder.Sub("together.zip");
        ToolRun.Succeeding(["train", "--data", Data, "--output", teacher, .. Tiny]);
        // AdamW makes whole steps of gradients that are zero but for rounding.
        string[] distil = ["distill", "--data", Data, "--teacher", teacher, .. Tiny, "--test-split", "none", "--optimizer", "sgd"];
        ToolRun one = ToolRun.Succeeding([.. distil, "--output", alone, "--batch-size", "4"]);
        using var run = MpiRun.Start("mpirun.openmpi", 2, Command, [.. distil, "--output", together, "--batch-size", "2"]);
        ProgramRun two = run.EndWell();

        Assert.That(Losses(two.Output), Is.EqualTo(Losses(one.Output)).Within(2e-3).And.Length.EqualTo(2));
        Assert.That(two.Output.Split('\n').Count(line => line.StartsWith("saved ", StringComparison.Ordinal)), Is.EqualTo(1));
        IReadOnlyDictionary<string, float[]> expected = Weights(alone), found = Weights(together);
        Assert.That(found.Keys, Is.EquivalentTo(expected.Keys));
        foreach ((string name, float[] values) in expected) Assert.That(found[name], Is.EqualTo(values).Within(1e-4), name);
    }

    [Test]
    public void AnErrorOfAll_IsSaidOnce()
    {
        using var run = MpiRun.Start("mpirun.openmpi", 2, Command, "train", "--data", _folder.Sub("nowhere"), "--output",
            _folder.Sub("none.zip"));
        ProgramRun two = run.End();
        Assert.That(two.ExitCode, Is.EqualTo(1));
        Assert.That(two.Error.Split("ml-distill: ").Length - 1, Is.EqualTo(1), two.Error);
    }

    [Test]
    public void ATraining_ThatIsStoppedInItsFirstEpoch_SaysSoOnce_AndEndsOfItself()
    {
        using var run = MpiRun.Start("mpirun.openmpi", 2, Command, ["train", "--data", Data, "--output", _folder.Sub("stopped.zip"),
            .. Tiny, "--max-hours", "1e-9"]);
        ProgramRun two = run.End();
        Assert.That(two.ExitCode, Is.EqualTo(1), two.Error);
        Assert.That(
            two.Error.Split("ml-distill: "), Has.Length.EqualTo(2).And.Exactly(1).StartsWith("stopped in epoch 1 of 2: "), two.Error);
        Assert.That(two.Error, Does.Not.Contain("MPI_ABORT"));
    }

    [Test]
    public void TwoProcesses_LabelAShardEach_AndTheMergeHasAll([Values("mpirun.openmpi", "mpirun.mpich")] string launcher)
    {
        string teacher = _folder.Sub("labeller.zip"), images = Path.Combine(Data, "JPEGImages");
        if (!File.Exists(teacher)) ToolRun.Succeeding(["train", "--data", Data, "--output", teacher, .. Tiny]);
        string[] label = ["label", "--teacher", teacher, "--images", images, "--labelled", Data, "--label-score", "0.001", "--scales", "1",
            "--no-flip"];
        string alone = _folder.Sub($"alone {launcher}"), together = _folder.Sub($"together {launcher}");
        ToolRun.Succeeding([.. label, "--output", alone]);
        using (var run = MpiRun.Start(launcher, 2, Command, [.. label, "--output", together])) run.EndWell();
        ToolRun.Succeeding([.. label, "--output", together, "--merge"]);
        string[] files = [.. Directory.GetFiles(Path.Combine(alone, "annotations")).Select(path => Path.GetFileName(path))];
        Assert.That(files, Is.Not.Empty);
        foreach (string file in files)
        {
            Assert.That(File.ReadAllText(Path.Combine(together, "annotations", file)).Replace($"together {launcher}", "alone"),
                Is.EqualTo(File.ReadAllText(Path.Combine(alone, "annotations", file)).Replace($"alone {launcher}", "alone")));
        }
    }

    private static double[] Losses(string output) => [.. Regex.Matches(output, @": epoch \d/2  loss ([\d.]+)")
        .Select(match => double.Parse(match.Groups[1].Value, CultureInfo.InvariantCulture))];

    private static Dictionary<string, float[]> Weights(string model)
        => FittedDetectors.In(model).Parameters().ToDictionary(one => one.Key, one => one.Value.Values.ToArray());
}
