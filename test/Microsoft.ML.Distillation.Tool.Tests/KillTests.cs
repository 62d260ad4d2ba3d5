using Google.Protobuf;
using Microsoft.ML.Distillation.Model;
using Microsoft.ML.Distillation.Samples.Demo.Scenes;
using Microsoft.ML.Distillation.Teachers.Onnx;

namespace Microsoft.ML.Distillation.Tests.Tool;

/// <summary>
/// Whatever is killed at whatever moment: no half-written file bears its final name, the same command goes on, and ends as if nothing had
/// been. A few kills here; with ML_DISTILLATION_KILLS=100 a hundred of each.
/// </summary>
public class KillTests
{
    private static readonly string[] Network =
        ["--backbone", "plain", "--widths", "4,4,8", "--input-size", "64", "--batch-size", "2", "--seed", "3", "--val-split", "none",
            "--test-split", "none"];

    private KilledRuns _runs = null!;

    [OneTimeSetUp]
    public void MakeData()
    {
        if (OperatingSystem.IsWindows()) Assert.Ignore("Exit codes of killed processes are told apart on Unix.");
        _runs = new KilledRuns();
        SceneDataSet.Write(_runs.At("data"), seed: 1, [("train", 8)]);
        SceneDataSet.Write(_runs.At("others"), seed: 2, [("train", 24)]);
        _runs.Finish(["train", "--data", "data", "--output", "teacher.zip", "--epochs", "2", .. Network]);
    }

    [OneTimeTearDown]
    public void DeleteData() => _runs?.Dispose();

    [Test]
    public void ATraining_GoesOnFromItsCheckpoint()
    {
        string[] Command(string name) =>
            ["train", "--data", "data", "--output", $"{name}/model.zip", "--checkpoints", $"{name}/checkpoints", "--epochs", "6",
                .. Network];
        TimeSpan length = _runs.Finish(Command("whole-training"));
        string output = _runs.At("training/model.zip"), checkpoint = _runs.At("training/checkpoints/training.checkpoint");
        _runs.Kill(KilledRuns.Count(3), length, ended =>
        {
            if (File.Exists(output)) Assert.That(GraphOf(output), Is.EqualTo(GraphOf(_runs.At("whole-training/model.zip"))));
            if (File.Exists(checkpoint)) Assert.That(() => TrainedDetector.FromModel(checkpoint), Throws.Nothing);
            // From its beginning again, now and then.
            if (ended) Directory.Delete(_runs.At("training"), recursive: true);
        }, Command("training"));
        _runs.Finish(Command("training"));
        Assert.That(GraphOf(output), Is.EqualTo(GraphOf(_runs.At("whole-training/model.zip"))));
        Assert.That(Everything("training"), Is.EqualTo(new[] { "checkpoints/training.checkpoint", "model.zip" }), "nothing is left over");
        Assert.That(_runs.Left(), Is.Empty);
    }

    [Test]
    public void Labelling_GoesOnAfterItsLastImage()
    {
        string[] Command(string name) =>
            ["label", "--images", "others/JPEGImages", "--labelled", "data", "--teacher", "teacher.zip", "--output", name];
        TimeSpan length = _runs.Finish(Command("whole-labels"));
        string[] files = Everything("whole-labels");
        _runs.Kill(KilledRuns.Count(2), length, ended =>
        {
            string annotations = _runs.At("labels/annotations/instances_default.json");
            if (File.Exists(annotations)) Assert.That(File.ReadAllBytes(annotations), Is.EqualTo(Content("whole-labels", files[1])));
            if (ended) Directory.Delete(_runs.At("labels"), recursive: true);
        }, Command("labels"));
        _runs.Finish(Command("labels"));
        Assert.That(Everything("labels"), Is.EqualTo(files));
        foreach (string file in files) Assert.That(Content("labels", file), Is.EqualTo(Content("whole-labels", file)), file);
    }

    [Test]
    public void AnExport_IsWholeOrNotThere()
    {
        string output = _runs.At("exported/model.onnx");
        string[] command = ["export", "--model", "teacher.zip", "--output", "exported/model.onnx"];
        TimeSpan length = _runs.Finish(command);
        byte[] whole = File.ReadAllBytes(output);
        File.Delete(output);
        _runs.Kill(KilledRuns.Count(3), length, _ =>
        {
            if (!File.Exists(output)) return;
            Assert.That(File.ReadAllBytes(output), Is.EqualTo(whole));
            File.Delete(output);
        }, command);
        _runs.Finish(command);
        Assert.That(Everything("exported"), Is.EqualTo(new[] { "model.onnx" }));
    }

    [Test]
    public void ATeachersAnswers_AreWholeOrNotThere()
    {
        using var graph = new TeacherGraph("batch").Output("scores", [.1f, .8f, .1f], [1, 3], [0, .1f, -.1f])
            .Output("boxes", [.1f, .1f, .4f, .5f], [1, 4]);
        string first = TrainedDetector.FromModel(_runs.At("teacher.zip")).ClassNames[0], teacher = graph.Save();
        File.WriteAllLines(_runs.At("names.txt"), ["circle", "square"]);
        File.WriteAllText(_runs.At("aliases.txt"), $"square = {first}");
        string[] Command(string name) =>
            ["distill", "--data", "data", "--teacher", teacher, "--teacher-format", "ssd", "--teacher-classes", "names.txt",
                "--teacher-aliases", "aliases.txt", "--teacher-threads", "1", "--teacher-cache", $"{name}/cache", "--epochs", "2",
                "--output", $"{name}/model.zip", .. Network];
        TimeSpan length = _runs.Finish(Command("whole-cache"));
        _runs.Kill(KilledRuns.Count(2), length, ended =>
        {
            Assert.That(Answers("cached").Select(path => AnswerCache.Decode(File.ReadAllBytes(path))), Is.All.Not.Null);
            if (ended) Directory.Delete(_runs.At("cached"), recursive: true);
        }, Command("cached"));
        _runs.Finish(Command("cached"));
        Assert.That(Answers("cached").Select(Path.GetFileName), Is.EqualTo(Answers("whole-cache").Select(Path.GetFileName)));
        Assert.That(GraphOf(_runs.At("cached/model.zip")), Is.EqualTo(GraphOf(_runs.At("whole-cache/model.zip"))));
    }

    private string[] Answers(string name) => Directory.Exists(_runs.At($"{name}/cache"))
        ? [.. Directory.GetFiles(_runs.At($"{name}/cache"), "*.answer", SearchOption.AllDirectories).Order(StringComparer.Ordinal)] : [];

    private string[] Everything(string name) => [.. Directory.GetFiles(_runs.At(name), "*", SearchOption.AllDirectories)
        .Select(path => Path.GetRelativePath(_runs.At(name), path)).Order(StringComparer.Ordinal)];

    private byte[] Content(string name, string file) => File.ReadAllBytes(Path.Combine(_runs.At(name), file));

    /// <summary>The network of a model without how its training went, which is not told of epochs before a kill.</summary>
    private static byte[] GraphOf(string path) => FittedDetectors.In(path).Model.Graph.ToByteArray();
}
