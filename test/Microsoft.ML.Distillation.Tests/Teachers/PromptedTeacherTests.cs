using Microsoft.ML.Distillation.Teachers;
using Microsoft.ML.Distillation.Teachers.Dense;
using static TorchSharp.torch;

namespace Microsoft.ML.Distillation.Tests.Teachers;

/// <summary>A detector that is told in words teaches boxes and names: its scores, of which 0.3 is a good one, are no targets.</summary>
public class PromptedTeacherTests
{
    private TemporaryFolder _folder = null!;

    [SetUp]
    public void MakeFolder() => _folder = new TemporaryFolder();

    [TearDown]
    public void DeleteFolder() => _folder.Dispose();

    [Test]
    public void Scores_AreNotTaught_BoxesAre([Values] bool teachesClasses)
    {
        using var scope = NewDisposeScope();
        var rule = new OverlapRule(ConfidentScore: .3, MatchOverlap: .5, ForeignOverlap: .3) { TeachesClasses = teachesClasses };
        float[] box = [.1f, .1f, .5f, .5f];
        var answers = new DenseAnswers(rule, studentClasses: 2, [new StudentPredictions(box, [.6f, .4f, 0], [.4f])], CPU);
        BoxScores boxes = answers.ScoreBoxes([tensor(box, [1, 4])]);
        AnchorScores anchors = answers.ScoreAnchors(tensor(box, [1, 4]));
        Assert.That(boxes.Known!.any().item<bool>(), Is.EqualTo(teachesClasses));
        Assert.That(anchors.Known.any().item<bool>(), Is.EqualTo(teachesClasses));
        Assert.That(boxes.KnownBoxes!.all().item<bool>() && anchors.KnownBoxes!.all().item<bool>());
    }

    [Test]
    public void Teacher_HasTheClassesOfThePrompts_AndAFingerprintOfItsWords()
    {
        string path = Dino();
        Teacher one = Teacher.FromPrompts(path, ["kick scooter=scooter", "electric scooter=scooter", "bicycle"]);
        Assert.That(one.ClassNames, Is.EqualTo((string[])["scooter", "bicycle"]));
        Assert.That(one.Fingerprint, Is.Not.EqualTo(Teacher.FromPrompts(path, ["e-scooter=scooter", "bicycle"]).Fingerprint));
        Assert.That(() => Teacher.FromPrompts(path, ["cat"], new OnnxTeacherOptions { Hints = ["x"] }),
            Throws.InstanceOf<ArgumentException>().With.Message.Contains("Hints"));
    }

    [Test]
    public void WhatCannotBeTold_IsSaid_WhenTheTeacherIsMade()
    {
        string dino = Dino();
        Assert.That(() => Teacher.FromPrompts(dino, [string.Join(' ', Enumerable.Repeat("red", 300))]),
            Throws.ArgumentException.With.Message.Contains("too long"));
        Assert.That(() => Teacher.FromPrompts(dino, DetectorPrompts.Parse("cat") with { TokenizerPath = _folder.Sub("none.txt") }),
            Throws.TypeOf<FileNotFoundException>().With.Message.Contains("none.txt"));
        Assert.That(() => Teacher.FromPrompts(dino, DetectorPrompts.Parse("cat") with { EmbeddingsPath = dino }),
            Throws.ArgumentException.With.Message.Contains("EmbeddingsPath"));
        using TeacherGraph plain = new TeacherGraph().Output("output", new float[6], [1, 6]);
        Assert.That(() => Teacher.FromPrompts(plain.Save(), ["cat"]),
            Throws.TypeOf<FormatException>().With.Message.Contains("not told in words"));
        string world = new PromptedGraph(PromptedLayout.WorldScores) { Colours = new Dictionary<int, (byte, byte, byte)>() }
            .Save(_folder.Sub("world.onnx"));
        Assert.That(() => Teacher.FromPrompts(world, ["cat"]), Throws.ArgumentException.With.Message.Contains("TextEncoderPath"));
        foreach (string wrong in (string[])["npy", "npz", "safetensors"])
        {
            string embeddings = _folder.Write($"words.{wrong}", "no embeddings");
            Assert.That(() => Teacher.FromPrompts(world, DetectorPrompts.Parse("cat") with { EmbeddingsPath = embeddings }),
                Throws.TypeOf<FormatException>().With.Message.Contains(embeddings));
        }
    }

    [Test]
    public void ADetectorOfThisLibrary_IsNoOnnxTeacher_WhichIsSaidAtOnce([Values] bool zipped)
    {
        string path = _folder.Sub("own.onnx");
        File.WriteAllBytes(path, ToyDetector.Model().ToBytes());
        if (zipped) path = SavedModels.At("one-stage.zip");
        foreach (Func<Teacher> make in (Func<Teacher>[])[() => Teacher.FromPrompts(path, ["cat"]),
            () => Teacher.FromOnnx(path, OnnxDetectorFormat.Auto, ["cat"])])
        {
            Assert.That(() => make(), Throws.ArgumentException.With.Message.Contains(
                $"'{path}' is a detector of this library, which says itself how it is read: FromModel takes it."));
        }
    }

    private string Dino()
    {
        string vocabulary = TestData.Model("vocabularies/bert-base-uncased-vocab.txt");
        if (!File.Exists(_folder.Sub("vocab.txt"))) File.Copy(vocabulary, _folder.Sub("vocab.txt"));
        return new PromptedGraph(PromptedLayout.HuggingFaceDino) { Colours = new Dictionary<int, (byte, byte, byte)>() }
            .Save(_folder.Sub("dino.onnx"));
    }
}
