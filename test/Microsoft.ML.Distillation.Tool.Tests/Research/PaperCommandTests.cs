using System.Text.Json;
using Microsoft.ML.Distillation.Detectors.Backbones;
using Microsoft.ML.Distillation.Samples.Demo.Scenes;
using Microsoft.ML.Distillation.Tests.Tool;

namespace Microsoft.ML.Distillation.Tests.Research;

public class PaperCommandTests
{
    private readonly Lazy<(string AlexNet, string Vgg16)> _trained;
    private TemporaryFolder _folder = null!;

    public PaperCommandTests() => _trained = new(() =>
    {
        string folder = _folder.Sub("whole");
        Run(Line(folder, "--table", "1", "--rows", "alexnet,vgg16")).Expected();
        return (Path.Combine(folder, "models", "alexnet-seed3.zip"), Path.Combine(folder, "models", "vgg16-seed3.zip"));
    });

    [OneTimeSetUp]
    public void DrawData()
    {
        _folder = new TemporaryFolder();
        SceneDataSet.Write(Path.Combine(_folder.Path, "data"), seed: 1, [("train", 4), ("val", 2), ("test", 2)]);
    }

    [OneTimeTearDown]
    public void DeleteData() => _folder.Dispose();

    [Test]
    public void AKilledRun_GoesOnWhereItWas_AndAFinishedOneDoesNothing()
    {
        string output = _folder.Sub("table");
        string[] line = Line(output, "--table", "5", "--rows", "tucker,tucker+vgg16", "--seeds", "2");
        ProgramRun killed = ProgramRun
            .Of(Path.Combine(AppContext.BaseDirectory, "Microsoft.ML.Distillation.Research.dll"), _folder.Path, line, (process, text) =>
        {
            if (text.Contains("training tucker (seed 4)", StringComparison.Ordinal)) process.Kill();
        });
        Assert.That(killed.Output, Does.Contain("training alexnet (seed 3), vgg16 (seed 3)").And.Contain("finished tucker+vgg16 (seed 3)"),
            killed.Error);
        Assert.That(killed.Output, Does.Not.Contain("finished tucker (seed 4)"));
        JsonElement[] before = Rows(output);
        Assert.That(before.Select(row => row.GetProperty("row").GetString()), Is.EqualTo(new[] { "tucker", "tucker+vgg16" }));
        Assert.That(before[0].GetProperty("training").GetProperty("ap").ValueKind, Is.EqualTo(JsonValueKind.Number),
            "Table 5 measures on the training images too");

        ToolRun second = Run(line).Expected();
        Assert.That(second.Output.Split('\n').Where(text => text.StartsWith("training ", StringComparison.Ordinal))
            .Select(text => text.Trim()),
            Is.EqualTo(new[] { "training tucker (seed 4), tucker+vgg16 (seed 4)" }), "what was finished is not trained again");
        Assert.That(Rows(output).Take(2).Select(row => row.GetRawText()), Is.EqualTo(before.Select(row => row.GetRawText())));
        Assert.That(Rows(output), Has.Length.EqualTo(4));
        Assert.That(File.ReadAllText(Path.Combine(output, "table-5.md")), Does.Contain("| tucker+vgg16 | vgg16 |").And.Contain("| 2 |"));

        ToolRun third = Run(Line(output, "--table", "4", "--rows", "tucker", "--seeds", "2")).Expected();
        Assert.That(third.Output, Does.Not.Contain("training ").And.Not.Contain("finished "), "tables share their rows");
        Assert.That(Directory.GetDirectories(Path.Combine(output, "checkpoints")), Is.Empty);
        Assert.That(Directory.GetFiles(Path.Combine(output, "models"), "*.unfinished"), Is.Empty);

        ToolRun other = Run([.. line, "--batch-size", "1"]);
        Assert.That((other.ExitCode, other.Error), Is.EqualTo((1, other.Error)));
        Assert.That(other.Error, Does.Contain("batch is 4, and now it is 1"));

        string otherData = _folder.Sub("other-data");
        SceneDataSet.Write(otherData, seed: 2, [("train", 4), ("val", 2), ("test", 2)]);
        ToolRun elsewhere = Run([.. line.Select(argument => argument == _folder.Sub("data") ? otherData : argument)]);
        Assert.That((elsewhere.ExitCode, elsewhere.Error), Is.EqualTo((1, elsewhere.Error)), "as many images, but others");
        Assert.That(elsewhere.Error, Does.Match("its data is [0-9a-f]{12}, and now it is [0-9a-f]{12}"));
    }

    [Test]
    public void GivenModels_TeachAndStart_AndTheirRowsAreTrainedLikeTheOthers()
    {
        string output = _folder.Sub("given");
        (string alexNet, string vgg16) = _trained.Value;
        ToolRun run = Run(GivenLine(alexNet, vgg16)).Expected();
        Assert.That(run.Output, Does.Contain("training alexnet (seed 3), alexnet+vgg16 (seed 3)").And
            .Contain("training alexnet (seed 4), alexnet+vgg16 (seed 4)"));
        Assert.That(run.Output, Does.Contain("training tucker+alexnet (seed 3)").And.Not.Contain("training vgg16").And
            .Contain("measured the given vgg16"));

        var rows = Rows(output).Select(row => (
            Row: row.GetProperty("row").GetString(), Seed: row.GetProperty("seed").GetInt32(),
            Given: row.GetProperty("given").GetBoolean())).ToArray();
        Assert.That(rows, Is.EquivalentTo(new[]
        {
            ("alexnet", 3, false), ("alexnet+vgg16", 3, false), ("tucker+alexnet", 3, false),
            ("alexnet", 4, false), ("alexnet+vgg16", 4, false), ("tucker+alexnet", 4, false),
            ("alexnet", 3, true), ("vgg16", 3, true),
        }));
        string own = Path.Combine(output, "models", "alexnet-seed3.zip");
        Assert.That(File.ReadAllBytes(own), Is.Not.EqualTo(File.ReadAllBytes(alexNet)), "of another schedule");
        string page = File.ReadAllText(Path.Combine(output, "table-1.md"));
        Assert.That(page, Does.Match(@"\| alexnet \| – \|.*\| 2 \|").And.Contain("| alexnet (given) |").And.Contain("| vgg16 (given) |"));

        string namesake = Path.Combine(Directory.CreateDirectory(_folder.Sub("elsewhere")).FullName, Path.GetFileName(vgg16));
        File.Copy(alexNet, namesake);
        ToolRun other = Run(GivenLine(alexNet, namesake));
        Assert.That((other.ExitCode, other.Error), Is.EqualTo((1, other.Error)), "another model in a file of that name");
        Assert.That(other.Error, Does.Contain("its given models is"));

        string[] GivenLine(string start, string teacher) => Line(
            output, "--table", "1", "--rows", "alexnet,alexnet+vgg16,tucker+alexnet", "--start", start, "--teacher", teacher, "--seeds",
            "2", "--batch-size", "2");
    }

    [Test]
    public void ALearningRate_HoldsForCompressedNetworksToo()
    {
        string[] made = [.. new[] { "0.0011", "0.0012", "0.0012" }.Select((rate, i) =>
        {
            string output = _folder.Sub($"rate-{i}");
            Run(Line(output, "--table", "4", "--rows", "tucker", "--start", _trained.Value.AlexNet, "--learning-rate", rate)).Expected();
            return Teacher.FromModel(Path.Combine(output, "models", "tucker-seed3.zip")).Fingerprint;
        })];
        Assert.That(made[0], Is.Not.EqualTo(made[1]));
        Assert.That(made[1], Is.EqualTo(made[2]), "and one rate gives one network");
    }

    [Test]
    public void ThePapersOwnNetworks_Train()
    {
        string output = _folder.Sub("paper");
        // 58 million parameters: an epoch's checkpoint alone has half a gigabyte.
        ToolRun run = Run("--data", _folder.Sub("data"), "--output", output, "--seed", "3", "--epochs", "1", "--input-size", "48",
            "--table", "1", "--rows", "alexnet", "--budget", "paper", "--batch-size", "4").Expected();
        Assert.That(run.Output, Does.Contain("finished alexnet (seed 3)"));
        JsonElement row = Rows(output).Single();
        Assert.That(row.GetProperty("parameters").GetInt64(), Is.InRange(56_000_000, 60_000_000));
    }

    [TestCase("--data d --output o", "--table")]
    [TestCase("--data d --output o --table 6", "--table")]
    [TestCase("--data d --output o --table 4 --budget huge", "--budget")]
    [TestCase("--data d --output o --table 4 --rows l2", "tucker+vgg16.l2-b")]
    [TestCase("--data d --output o --table 4 --checkpoints c", "--checkpoints")]
    [TestCase("--data d --output o --table 4 --weights w", "--budget paper")]
    public void WrongUse_ExitsWith2_AndOneLineThatSaysWhat(string line, string what)
        => AssertOneLine(Run(line.Split(' ')), 2, what);

    [TestCase("--data {0}/data --output {0}/o --table 4 --budget paper --weights {0}", 1, "vgg-m")]
    [TestCase("--data {0}/data --output {0}/o --table 4 --teacher {0}/none.zip", 1, "none.zip")]
    [TestCase("--table 4 --data {0}/data --test-split train --output {0}/file.txt", 2, "--output '{0}/file.txt' cannot be written")]
    public void BadPlaces_AreNamedInOneLine(string line, int exitCode, string what)
    {
        File.WriteAllText(_folder.Sub("file.txt"), "");
        AssertOneLine(Run([.. line.Split(' ').Select(word => word.Replace("{0}", _folder.Path))]), exitCode,
            what.Replace("{0}", _folder.Path));
    }

    private static void AssertOneLine(ToolRun run, int exitCode, string what)
    {
        Assert.That(run.ExitCode, Is.EqualTo(exitCode), run.Error);
        Assert.That(run.Error, Does.StartWith("paper: ").And.Contain(what));
        Assert.That(run.Error.TrimEnd().Split('\n'), Has.Length.EqualTo(1), run.Error);
    }

    private string[] Line(string output, params string[] more) =>
    [
        "--data", _folder.Sub("data"), "--output", output, "--seed", "3", "--epochs", "2", "--input-size", "48", .. more,
    ];

    private static ToolRun Run(params string[] args) => ToolRun.Of(Microsoft.ML.Distillation.Research.Program.Run, args);

    private static JsonElement[] Rows(string folder)
    {
        using var json = JsonDocument.Parse(File.ReadAllText(Path.Combine(folder, "results.json")));
        return [.. json.RootElement.GetProperty("rows").EnumerateArray().Select(row => row.Clone())];
    }
}
