using Microsoft.ML.Distillation.Model;
using Microsoft.ML.Distillation.Samples.Demo.Scenes;
using Microsoft.ML.Distillation.Teachers.Onnx;

namespace Microsoft.ML.Distillation.Tests.Tool;

public class SharedTeacherCacheTests
{
    private const int Images = 8;

    /// <summary>Three processes at one folder; one is killed while it learns. What it leaves, and a file cut short, harm nobody.</summary>
    [Test]
    public void ProcessesShareACache_AndAKillInBetweenHarmsNone()
    {
        using var folder = new TemporaryFolder();
        SceneDataSet.Write(folder.Sub("data"), seed: 1, [("train", Images)]);
        using var graph = new TeacherGraph("batch").Output("scores", [.1f, .8f, .1f], [1, 3], [0, .1f, -.1f])
            .Output("boxes", [.1f, .1f, .4f, .5f], [1, 4]);
        File.WriteAllLines(folder.Sub("names.txt"), ["circle", "square"]);
        File.WriteAllText(folder.Sub("aliases.txt"), $"square = {ClassOf(folder.Sub("data"))}");
        string teacher = graph.Save();

        Task<ProgramRun> killed = Distil("killed.zip", 500, kill: true), one = Distil("one.zip", 2), other = Distil("other.zip", 2);
        Task.WaitAll(killed, one, other);

        Assert.That(killed.Result.ExitCode, Is.Not.Zero);
        Assert.That(File.Exists(folder.Sub("killed.zip")), Is.False);
        AssertFinished(one.Result, "one.zip");
        AssertFinished(other.Result, "other.zip");
        string[] answers = Answers();
        Assert.That(answers, Has.Length.EqualTo(Images));
        Assert.That(answers.Select(path => AnswerCache.Decode(File.ReadAllBytes(path))), Is.All.Not.Null);
        Assert.That(
            FittedDetectors.In(folder.Sub("one.zip")).ToBytes(), Is.EqualTo(FittedDetectors.In(folder.Sub("other.zip")).ToBytes()),
            "whoever asked the teacher, the answers are the same");

        // What a crash of the whole machine could leave.
        File.WriteAllBytes(answers[0], File.ReadAllBytes(answers[0])[..20]);
        AssertFinished(Distil("later.zip", 2).Result, "later.zip");
        Assert.That(AnswerCache.Decode(File.ReadAllBytes(answers[0])), Is.Not.Null, "the answer was asked for anew");
        Assert.That(FittedDetectors.In(folder.Sub("later.zip")).ToBytes(), Is.EqualTo(FittedDetectors.In(folder.Sub("one.zip")).ToBytes()));

        Task<ProgramRun> Distil(string output, int epochs, bool kill = false) => Task.Run(() => ProgramRun.Of(
            Path.Combine(AppContext.BaseDirectory, "ml-distill.dll"), folder.Path,
            ["distill", "--data", "data", "--teacher", teacher, "--teacher-format", "ssd", "--teacher-classes", "names.txt",
                "--teacher-aliases", "aliases.txt", "--teacher-cache", "cache", "--student", "faster-rcnn",
                "--teacher-threads", "1", "--backbone", "plain", "--widths", "4,4,8", "--input-size", "64",
                "--batch-size", "2", "--seed", "3", "--val-split", "none", "--test-split", "none", "--epochs", $"{epochs}", "--output",
                output],
            (process, line) =>
            {
                if (kill && line.Contains("epoch 1/", StringComparison.Ordinal)) process.Kill();
            }));

        void AssertFinished(ProgramRun run, string output)
        {
            Assert.That(run.ExitCode, Is.Zero, run.Output + run.Error);
            Assert.That(run.Output, Does.Contain("rcn.class.soft"));
            Assert.That(File.Exists(folder.Sub(output)));
        }

        string[] Answers() => Directory.GetFiles(folder.Sub("cache"), "*.answer", SearchOption.AllDirectories);
    }

    private static string ClassOf(string data)
        => new MLContext().Data.CreateEnumerable<Row>(new MLContext().Data.LoadDetections(data), false).SelectMany(row => row.Label)
            .First();

    private sealed class Row
    {
        public string[] Label { get; set; } = [];
    }
}
