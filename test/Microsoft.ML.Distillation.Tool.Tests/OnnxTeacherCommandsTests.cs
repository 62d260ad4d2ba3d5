using Microsoft.ML.Distillation.Samples.Demo.Scenes;

namespace Microsoft.ML.Distillation.Tests.Tool;

public class OnnxTeacherCommandsTests
{
    private static readonly string[] Tiny =
        ["--backbone", "plain", "--widths", "4,4,8", "--input-size", "64", "--epochs", "1", "--seed", "3", "--test-split", "none",
            "--val-split", "none"];

    private TemporaryFolder _folder = null!;
    private TeacherGraph _graph = null!;
    private string _teacher = "", _hint = "", _names = "", _class = "";

    private string[] Teacher => ["--teacher", _teacher, "--teacher-format", "ssd", "--teacher-classes", _names];

    [OneTimeSetUp]
    public void MakeTeacher()
    {
        _folder = new TemporaryFolder();
        SceneDataSet.Write(_folder.Sub("data"), seed: 1, [("train", 6)]);
        _class = new MLContext().Data.CreateEnumerable<Row>(new MLContext().Data.LoadDetections(_folder.Sub("data")), false)
            .SelectMany(row => row.Label).First();
        _graph = new TeacherGraph("batch").Output("scores", [.1f, .8f, .1f], [1, 3]).Output("boxes", [.1f, .1f, .4f, .5f], [1, 4]);
        _hint = _graph.Pool();
        _teacher = _graph.Save();
        _names = _folder.Sub("names.txt");
        File.WriteAllLines(_names, [_class, "unicorn"]);
    }

    [OneTimeTearDown]
    public void DeleteFolder()
    {
        _graph.Dispose();
        _folder.Dispose();
    }

    [Test]
    public void Distil_UnderAnOnnxTeacher_WithHintsOrCache_ReportsTheClassesBothWays()
    {
        ToolRun hinted = ToolRun.Succeeding(["distill", "--data", _folder.Sub("data"), "--output", _folder.Sub("hinted.zip"), .. Teacher,
            .. Tiny, "--hint", $"conv3={_hint}"]);
        Assert.That(hinted.Output, Does.Contain($"are taught: {_class}").And.Contain("learned from labels alone").And
            .Contain("not used: unicorn").And.Contain("hint"));
        ToolRun cached = ToolRun.Succeeding(["distill", "--data", _folder.Sub("data"), "--output", _folder.Sub("cached.zip"), .. Teacher,
            .. Tiny, "--student", "faster-rcnn", "--batch-size", "3", "--teacher-cache", _folder.Sub("cache")]);
        Assert.That(cached.Output, Does.Contain("rcn.class.soft"));
        Assert.That(Directory.GetFiles(_folder.Sub("cache"), "*.answer", SearchOption.AllDirectories), Has.Length.EqualTo(6));
        ToolRun both = ToolRun.Of(["distill", "--data", _folder.Sub("data"), "--output", _folder.Sub("no.zip"), .. Teacher, .. Tiny,
            "--hint", "a=b", "--teacher-cache", "x"]);
        Assert.That(both.ExitCode, Is.EqualTo(2));
        Assert.That(both.Error, Does.Contain("--teacher-cache"));
    }

    [Test]
    public void Distil_WithoutLabels_LearnsTheTeachersClasses()
    {
        ToolRun run = ToolRun.Succeeding(["distill", "--data", Path.Combine(_folder.Sub("data"), "JPEGImages"), "--no-labels", "--output",
            _folder.Sub("alone.zip"), .. Teacher, .. Tiny]);
        Assert.That(run.Output, Does.Contain("epoch 1/1"));
        Assert.That(Distillation.Teacher.FromModel(_folder.Sub("alone.zip")).ClassNames, Is.EqualTo(new[] { _class, "unicorn" }));
        Assert.That(ToolRun.Of(["distill", "--data", _folder.Sub("data"), "--no-labels", "--control", "--output", "x.zip", .. Teacher,
            .. Tiny]).ExitCode, Is.EqualTo(2));
    }

    [Test]
    public void Inspect_ShowsGraphFormatTensorsAndClasses_AndDraws()
    {
        string image = Directory.GetFiles(Path.Combine(_folder.Sub("data"), "JPEGImages"))[0];
        ToolRun unknown = ToolRun.Succeeding("inspect-teacher", "--teacher", _teacher);
        Assert.That(unknown.Output, Does.Contain("input    'images' Float [N, 3, 64, 64]").And.Contain("output   'scores' [1, 3]").And
            .Contain("--teacher-classes"));
        ToolRun run = ToolRun.Succeeding(["inspect-teacher", .. Teacher, "--data", _folder.Sub("data"), "--image", image, "--draw",
            _folder.Sub("drawn.png"), "--tensors"]);
        Assert.That(run.Output, Does.Contain("format   Ssd, 2 classes").And.Contain("1 detection from a score of 0.30"));
        Assert.That(run.Output, Does.Contain("not used: unicorn").And
            .Match(@"3 ×\s+8 ×\s+8\s+8\s+" + System.Text.RegularExpressions.Regex.Escape(_hint)));
        Assert.That(File.ReadAllBytes(_folder.Sub("drawn.png")), Is.Not.EqualTo(File.ReadAllBytes(image)));
    }

    [Test]
    public void SizeAlone_KeepsThePresetOfTheFormatThatIsFound()
    {
        ToolRun plain = ToolRun.Succeeding("inspect-teacher", "--teacher", _teacher, "--teacher-classes", _names);
        ToolRun sized = ToolRun.Succeeding("inspect-teacher", "--teacher", _teacher, "--teacher-classes", _names, "--teacher-size",
            "64x64");
        Assert.That(plain.Output, Does.Contain("sees     64×64").Or.Contain("sees     64x64"));
        Assert.That(plain.Output, Does.Contain("[127, 127, 127]"), "the preset of SSD");
        Assert.That(sized.Output, Is.EqualTo(plain.Output));
    }

    [Test]
    public void ClassNames_ComeFromTheModel_WhereItHasThem()
    {
        using var graph = new TeacherGraph("batch").Output("scores", [.1f, .8f, .1f], [1, 3]).Output("boxes", [.1f, .1f, .4f, .5f], [1, 4])
            .Metadata("names", $"{{0: '{_class}', 1: 'unicorn'}}");
        string path = graph.Save();
        Assert.That(ToolRun.Succeeding("inspect-teacher", "--teacher", path).Output,
            Does.Contain($"format   Ssd, 2 classes: {_class}, unicorn"));
        ToolRun run = ToolRun.Succeeding(
            ["distill", "--data", _folder.Sub("data"), "--output", _folder.Sub("named.zip"), "--teacher", path, .. Tiny]);
        Assert.That(run.Output, Does.Contain($"are taught: {_class}").And.Contain("not used: unicorn"));
    }

    [Test]
    public void WrongUse_NamesTheOption()
    {
        Wrong("--feature-loss pkd", ["distill", "--data", _folder.Sub("data"), "--output", "x.zip", .. Teacher, .. Tiny, "--feature-loss",
            "pkd=4,none"]);
        Wrong("--hint STUDENT=TENSOR",
            ["distill", "--data", _folder.Sub("data"), "--output", "x.zip", .. Teacher, .. Tiny, "--feature-loss", "hint",
            "--teacher-cache", "x"]);
        Wrong("--teacher-classes", "inspect-teacher", "--teacher", _teacher, "--image", "x.png");
        Wrong("--teacher-mean", ["inspect-teacher", .. Teacher, "--teacher-mean", "1,2"]);
        Wrong("--teacher-size", ["inspect-teacher", .. Teacher, "--teacher-size", "64"]);
        Wrong("--teacher-device", ["inspect-teacher", .. Teacher, "--teacher-device", "gpu"]);
        Wrong("--teacher-format", "inspect-teacher", "--teacher", _teacher, "--teacher-classes", _names, "--teacher-fill", "0");
        Wrong("--teacher-classes", ["distill", "--data", _folder.Sub("data"), "--output", "x.zip", "--teacher", _teacher, .. Tiny]);
        Wrong("--hint", ["distill", "--data", _folder.Sub("data"), "--output", "x.zip", .. Teacher, .. Tiny, "--hint", "nothing"]);

        static void Wrong(string named, params string[] args)
        {
            ToolRun run = ToolRun.Of(args);
            Assert.That(run.ExitCode, Is.EqualTo(2), run.Error);
            Assert.That(run.Error, Does.Contain(named));
        }
    }

    private sealed class Row
    {
        public string[] Label { get; set; } = [];
    }
}
