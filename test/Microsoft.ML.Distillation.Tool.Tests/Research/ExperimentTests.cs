using Microsoft.ML.Distillation.Research;
using Microsoft.ML.Distillation.Samples.Demo.Scenes;
using Microsoft.ML.Distillation.Tests.Tool;

namespace Microsoft.ML.Distillation.Tests.Research;

public class ExperimentTests
{
    private static readonly Dictionary<string, string> Folders = new() { ["data"] = "/d", ["parts"] = "/p" };

    private TemporaryFolder _folder = null!;

    [SetUp]
    public void MakeFolder() => _folder = new TemporaryFolder();

    [TearDown]
    public void DeleteFolder() => _folder.Dispose();

    [Test]
    public void ALine_IsARunForEachSeed_AndKnowsWhatItNeeds()
    {
        ExperimentList list = Read(
            "data a --data {data}/a # what it is", "measure a test --data {data}/a --split test", "",
            "run a/big/teacher @1 train --epochs 3",
            "run a/small/distilled @1,2 distill --teacher {a/big/teacher@1}");
        Assert.That(list.Runs.Select(run => run.Key),
            Is.EqualTo(new[] { "a/big/teacher@1", "a/small/distilled@1", "a/small/distilled@2" }));
        Assert.That(list.Data["a"].Single(), Is.EqualTo(new[] { "--data", "/d/a" }));
        Assert.That(list.Measures["a"].Single().Options, Is.EqualTo(new[] { "--data", "/d/a", "--split", "test" }));
        Assert.That(list.Runs[2].Needs, Is.EqualTo(new[] { "a/big/teacher@1" }));
        Assert.That(list.Runs[2].ArgumentsWith(key => $"{key}.zip"), Is.EqualTo(new[] { "distill", "--teacher", "a/big/teacher@1.zip" }));
        Assert.That(list.WithNeeds([list.Runs[2]]).Select(run => run.Key), Is.EqualTo(new[] { "a/big/teacher@1", "a/small/distilled@2" }));
    }

    [TestCase("walk a", "list(1)")]
    [TestCase("part a {data}/a 1.5", "part")]
    [TestCase("run a/b/c @1 train", "no line defines")]
    [TestCase("data a|run a/b/c @1 train|run a/b/c @1 train", "two runs a/b/c@1")]
    [TestCase("data a|run a/b/c @1 distill --teacher {a/b/d@1}|run a/b/d @1 train", "needs a/b/d@1")]
    public void AWrongList_IsNamed(string lines, string expected)
        => Assert.That(Assert.Throws<FormatException>(() => Read(lines.Split('|')))!.Message, Does.Contain(expected));

    [TestCase("accuracy.txt")]
    [TestCase("accuracy-small.txt")]
    public void PublishedLists_CanBeRead(string file)
    {
        var at = new DirectoryInfo(AppContext.BaseDirectory);
        while (!File.Exists(Path.Combine(at.FullName, "build.sh"))) at = at.Parent!;
        ExperimentList list = ExperimentList.Read(Path.Combine(at.FullName, "research", file), Folders);
        Assert.That(list.Runs, Is.Not.Empty);
        Assert.That(list.Measures.Select(data => data.Key), Is.SupersetOf(list.Runs.Select(run => run.Data).Distinct()));
    }

    [Test]
    public void APartOfTheLabels_KeepsAShareOfTheTrainingImages_AndTheRestIsAPart()
    {
        string whole = _folder.Sub("whole"), lists = Path.Combine(whole, "ImageSets", "Main");
        foreach (string folder in new[] { "Annotations", "JPEGImages", lists }) Directory.CreateDirectory(Path.Combine(whole, folder));
        File.WriteAllText(Path.Combine(whole, "Annotations", "x.xml"), "x");
        File.WriteAllLines(Path.Combine(lists, "train.txt"), Enumerable.Range(0, 20).Select(i => $"image{i}"));
        File.WriteAllLines(Path.Combine(lists, "test.txt"), ["other"]);
        new LabelPart("fifth", whole, 0.2).Make(_folder.Path);
        string part = Path.Combine(_folder.Path, "fifth"), made = Path.Combine(part, "ImageSets", "Main");
        string[] train = File.ReadAllLines(Path.Combine(made, "train.txt")), rest = File.ReadAllLines(Path.Combine(made, "rest.txt"));
        Assert.That((train.Length, rest.Length), Is.EqualTo((4, 16)));
        Assert.That(train.Concat(rest), Is.Unique);
        Assert.That(File.ReadAllText(Path.Combine(part, "Annotations", "x.xml")), Is.EqualTo("x"));
        Assert.That(File.ReadAllLines(Path.Combine(made, "test.txt")), Is.EqualTo(new[] { "other" }));
    }

    /// <summary>Alone 30 and 34, distilled 33 and 35, teacher 42: two more of a gap of ten.</summary>
    [Test]
    public void TheTable_SaysWhatALessonRecoversOfTheGap()
    {
        ExperimentList list = Read(
            "data a", "measure a test", "run a/big/teacher @1 train", "run a/small/alone @1,2 train",
            "run a/small/distilled @1,2,3 distill --teacher {a/big/teacher@1}");
        var results = new ExperimentResults(Path.Combine(_folder.Path, "results.tsv"));
        foreach ((string key, double ap) in new[]
        {
            ("a/big/teacher@1", 42.0), ("a/small/alone@1", 30), ("a/small/alone@2", 34), ("a/small/distilled@1", 31),
            ("a/small/distilled@1", 33), ("a/small/distilled@2", 35),
        })
            results.Add(new ExperimentResult(key, new Dictionary<string, (double, double)> { ["test"] = (ap, 60) }, 12));
        using var output = new StringWriter();
        ExperimentSummary.Write(output, list, results.All);
        // Differences 3 and 1: their mean 2, half of the interval 12.706 · 1.
        Assert.That(output.ToString(), Does.Contain("| a, big | teacher | 1 | 42.0 | 60.0 |  |  |")
            .And.Contain("| a, small | alone | 2 | 32.0 | 60.0 |  |  |")
            .And.Contain("| a, small | distilled | 2 | 34.0 | 60.0 | +2.0 ± 12.7 | recovered 20 % |"));
        Assert.That(output.ToString().TrimEnd(),
            Does.EndWith("a, small, distilled on test: AP 34.0 %, alone 32.0 %, teacher 42.0 %: recovered 20 %"));
    }

    [Test]
    public void AList_IsRun_AndWhatHasAResultIsNotRunAgain()
    {
        string data = Path.Combine(_folder.Path, "scenes"), list = Path.Combine(_folder.Path, "list.txt");
        SceneDataSet.Write(data, seed: 1, [("train", 4), ("val", 2), ("test", 2)]);
        const string Tiny = "--backbone plain --widths 4,4,8 --input-size 64 --epochs 1 --batch-size 2";
        File.WriteAllLines(list,
        [
            "data scenes --data {data}", "measure scenes test --data {data} --split test", $"run scenes/big/teacher @1 train {Tiny}",
            $"run scenes/small/alone @1 train --detector one-stage {Tiny}",
            $"run scenes/small/distilled @1 distill --student one-stage {Tiny} --teacher {{scenes/big/teacher@1}}",
            "run scenes/wrong/alone @1 train --epochs none",
        ]);
        string[] command =
            ["accuracy", "--list", list, "--data", data, "--work", _folder.Sub("work"), "--results", _folder.Sub("results.tsv")];
        ToolRun first = Run([.. command, "--only", "scenes/small,scenes/wrong", "--parallel", "2"]);
        Assert.That(first.ExitCode, Is.EqualTo(1), "one of them cannot be run");
        Assert.That(first.Output, Does.Contain("scenes/wrong/alone@1: ended with 2").And.Contain("| scenes, small | distilled | 1 |"));
        Assert.That(File.ReadAllLines(Path.Combine(_folder.Path, "results.tsv")), Has.Length.EqualTo(3));
        ToolRun again = Run([.. command, "--only", "scenes/small"]).Expected();
        Assert.That(again.Output, Does.Not.Contain("--checkpoints").And.Contain("| scenes, small | alone | 1 |"));
    }

    private static ToolRun Run(params string[] args) => ToolRun.Of(Microsoft.ML.Distillation.Research.Program.Run, args);

    private ExperimentList Read(params string[] lines)
    {
        string path = Path.Combine(_folder.Path, "list");
        File.WriteAllLines(path, lines);
        return ExperimentList.Read(path, Folders);
    }
}
