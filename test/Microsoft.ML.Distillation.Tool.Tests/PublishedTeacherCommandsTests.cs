using Microsoft.ML.Distillation.Samples.Demo.Scenes;

namespace Microsoft.ML.Distillation.Tests.Tool;

/// <summary>One command distils each kind of published detector into each kind of student.</summary>
public class PublishedTeacherCommandsTests
{
    private static readonly string[] Tiny =
    [
        "--input-size", "64", "--epochs", "1", "--batch-size", "3", "--seed", "3", "--val-split", "none", "--test-split", "none",
        "--backbone", "plain",
        "--widths", "4,8,8", "--teacher-threads", "1",
    ];

    private static readonly string[] TwoStage = ["--student", "faster-rcnn"],
        OneStage = ["--student", "one-stage", "--strides", "8,16", "--channels", "16"];

    private TemporaryFolder _folder = null!;
    private string _class = "";

    [OneTimeSetUp]
    public void MakeData()
    {
        _folder = new TemporaryFolder();
        SceneDataSet.Write(_folder.Sub("data"), seed: 1, [("train", 6)]);
        _class = new MLContext().Data.CreateEnumerable<Row>(new MLContext().Data.LoadDetections(_folder.Sub("data")), false)
            .SelectMany(row => row.Label).First();
    }

    [OneTimeTearDown]
    public void DeleteFolder() => _folder.Dispose();

    [Test]
    public void FastestDet([Values] bool oneStage)
        => Distil(TestData.Model("fastestdet.onnx"), TestData.Model("coco.names"), "person", oneStage);

    [Test]
    public void UltraFace([Values] bool oneStage) => Distil(TestData.Model("ultraface-rfb320.onnx"), Names("face"), "face", oneStage);

    /// <summary>A tensor of its neck teaches the student's last map; ONNX Runtime's threads have no part in it.</summary>
    [Test]
    public void FastestDet_InLibtorch()
    {
        string[] command = ["distill", "--data", _folder.Sub("data"), "--teacher", TestData.Model("fastestdet.onnx"), "--teacher-classes",
            TestData.Model("coco.names"), "--teacher-aliases", _folder.Write("torch.aliases", $"{_class} = person"), "--output",
            _folder.Sub("torch.zip"), "--hint", "conv3=input.568", "--teacher-run-in", "torch"];
        Assert.That(ToolRun.Of([.. command, .. Tiny]).Error, Does.Contain("--teacher-threads").Or.Contain("Threads"));
        Assert.That(ToolRun.Succeeding([.. command, .. Tiny[..^2]]).Output, Does.Contain("hint"));
    }

    [Test]
    public void Gfl([Values] bool oneStage)
    {
        using var graph = new TeacherGraph("batch");
        const int bins = 8, cells = 84, columns = 2 + 4 * bins;
        var values = new float[cells * columns];
        (values[20 * columns], values[20 * columns + 2 + 2]) = (.9f, 9);
        graph.Output("output", values, [cells, columns]);
        string[] localisation = oneStage ? ["--ld-weight", "0.25"] : [];
        ToolRun run = Distil(graph.Save(), Names("cat", "dog"), "cat", oneStage,
            [.. localisation, "--teacher-cache", _folder.Sub($"cache{oneStage}")]);
        if (oneStage) Assert.That(run.Output, Does.Contain("box.distribution"));
    }

    [Test]
    public void YoloX([Values] bool oneStage, [Values] bool decoded)
    {
        using var graph = new TeacherGraph("batch");
        const int cells = 84, columns = 7;
        var values = new float[cells * columns];
        float[] row = decoded ? [30, 30, 40, 30, .9f, .8f, .1f] : [.5f, .5f, 1, 1, .9f, .8f, .1f];
        row.CopyTo(values, 70 * columns);
        graph.Output("output", values, [cells, columns]);
        string hint = graph.Pool();
        // One of the student's maps is held to a tensor inside the graph.
        Distil(graph.Save(), Names("cat", "dog"), "cat", oneStage,
            ["--hint", $"{(oneStage ? "neck0" : "conv3")}={hint}", "--feature-loss", "hint,pkd"]);
    }

    /// <summary>A teacher of no known format, as a file describes it.</summary>
    [Test]
    public void Layout()
    {
        using var graph = new TeacherGraph("batch");
        graph.Output("found", [.9f, 1, 10, 10, 30, 30, -9, 0, 0, 0, 9, 9], [2, 6]);
        string path = graph.Save(), layout = _folder.Write("layout.yaml",
            "boxes: { column: 2 }\nscore: { column: 0, activation: sigmoid }\nlabel: { column: 1, first: 1 }\nsuppressed: true\n");

        Distil(path, Names("cat", "dog"), "cat", oneStage: true, ["--teacher-layout", layout, "--teacher-scale", "1"]);
        ToolRun inspected = ToolRun.Succeeding(
            ["inspect-teacher", "--teacher", path, "--teacher-classes", Names("cat", "dog"), "--teacher-layout", layout,
                "--teacher-class-agnostic", "--teacher-activation", "none", "--teacher-first-label", "0"]);
        Assert.That(inspected.Output, Does.Contain("format   Layout, 2 classes"));
        ToolRun wrong = ToolRun.Of(
            ["inspect-teacher", "--teacher", path, "--teacher-classes", Names("cat", "dog"), "--teacher-layout",
                _folder.Write("wrong.yaml", "boxes: 2\nscores: 0")]);
        Assert.That(wrong.Error, Does.Contain("wrong.yaml(2): the layout has no member 'scores'; is 'score' meant?"));
    }

    private ToolRun Distil(string teacher, string names, string known, bool oneStage, params string[] more)
    {
        string aliases = _folder.Sub("aliases.txt"), output = _folder.Sub("student.zip");
        File.WriteAllText(aliases, $"{known} = {_class}");
        ToolRun run = ToolRun.Succeeding(
            ["distill", "--data", _folder.Sub("data"), "--teacher", teacher, "--teacher-classes", names, "--teacher-aliases", aliases,
                "--output", output,
                .. oneStage ? OneStage : TwoStage, .. Tiny, .. more]);
        Assert.That(run.Output, Does.Contain($"are taught: {_class}").And.Contain(oneStage ? "class.soft" : "rcn.class.soft"));
        Assert.That(Teacher.FromModel(output).ClassNames, Does.Contain(_class));
        return run;
    }

    private string Names(params string[] names)
    {
        string path = _folder.Sub("names.txt");
        File.WriteAllLines(path, names);
        return path;
    }

    private sealed class Row
    {
        public string[] Label { get; set; } = [];
    }
}
