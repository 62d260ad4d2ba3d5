using Microsoft.ML.Distillation.Teachers;
using Microsoft.ML.Distillation.Teachers.Dense;
using static TorchSharp.torch;

namespace Microsoft.ML.Distillation.Tests.Teachers;

/// <summary>A detector that is told in words teaches boxes and names: its scores, of which 0.3 is a good one, are no targets.</summary>
public class PromptedTeacherTests
{
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
        using TeacherGraph graph = new TeacherGraph().Output("output", new float[6], [1, 6]);
        string path = graph.Save();
        Teacher one = Teacher.FromPrompts(path, ["kick scooter=scooter", "electric scooter=scooter", "bicycle"]);
        Assert.That(one.ClassNames, Is.EqualTo((string[])["scooter", "bicycle"]));
        Assert.That(one.Fingerprint, Is.Not.EqualTo(Teacher.FromPrompts(path, ["e-scooter=scooter", "bicycle"]).Fingerprint));
        Assert.That(() => Teacher.FromPrompts(path, ["cat"], new OnnxTeacherOptions { Hints = ["x"] }),
            Throws.InstanceOf<ArgumentException>().With.Message.Contains("Hints"));
    }
}
