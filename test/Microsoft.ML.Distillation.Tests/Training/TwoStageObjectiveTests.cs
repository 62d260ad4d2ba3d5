using Microsoft.ML.Distillation.Data;
using Microsoft.ML.Distillation.Detectors;
using Microsoft.ML.Distillation.Images;
using Microsoft.ML.Distillation.Losses;
using Microsoft.ML.Distillation.Teachers;
using Microsoft.ML.Distillation.Training;
using TorchSharp;
using static TorchSharp.torch;

namespace Microsoft.ML.Distillation.Tests.Training;

public class TwoStageObjectiveTests
{
    private static readonly string[] Classes = ["square", "disc"];

    [Test]
    public void Weights_ArePapers_ByDefault()
    {
        Assert.That(Weights(null), Is.EqualTo("rpn.class.hard 0.5, rpn.class.soft 0.5, rpn.box.bounded 0.5, rpn.box 1, "
            + "rcn.class.hard 0.5, rcn.class.soft 0.5, rcn.box.bounded 0.5, rcn.box 1, hint.conv2 0.25, hint.conv3 0.25, "
            + "cwd.conv2 5, cwd.conv3 5"));
        Assert.That(Weights([]), Is.EqualTo("rpn.class.hard 1, rpn.box 1, rcn.class.hard 1, rcn.box 1"),
            "without soft targets μ has no say");
        Assert.That(Weights([new SoftClasses { LearningParts = TwoStageParts.Rcn }]),
            Is.EqualTo("rpn.class.hard 1, rpn.box 1, rcn.class.hard 0.5, rcn.class.soft 0.5, rcn.box 1"));
        Assert.That(Weights([new SoftClasses { LabelWeight = 0.7 }]), Does.StartWith("rpn.class.hard 0.7, rpn.class.soft 0.3, "));
        Assert.That(Weights([new SoftClasses { LabelWeight = 0.7, Weight = 2 }]), Does.StartWith("rpn.class.hard 0.7, rpn.class.soft 2, "),
            "Apprentice's β and γ");

        static string Weights(IReadOnlyList<DistillationLoss>? losses)
        {
            using FasterRcnn student = TinyRun.Detector();
            using TwoStageTeacher teacher = TinyRun.Teacher();
            return string.Join(", ", Compute(student, teacher, new LossSelection(losses))
                .Select(term => FormattableString.Invariant($"{term.Name} {term.Weight:0.##}")));
        }
    }

    [Test]
    public void EachSwitch_TakesItsTermAway()
    {
        string[] all =
        [
            "rpn.class.hard", "rpn.class.soft", "rpn.box.bounded", "rpn.box",
            "rcn.class.hard", "rcn.class.soft", "rcn.box.bounded", "rcn.box", "hint.conv2", "hint.conv3", "cwd.conv2", "cwd.conv3",
        ];
        DistillationLoss[] full = [new SoftClasses(), new BoundedBoxes(), new Hint(), new ChannelWise()];
        Assert.That(Terms(full), Is.EqualTo(all));
        Assert.That(Terms([new SoftClasses { LearningParts = TwoStageParts.Rcn }, .. full[1..]]),
            Is.EqualTo(all.Except(["rpn.class.soft"])));
        Assert.That(Terms([new SoftClasses { LearningParts = TwoStageParts.Rpn }, .. full[1..]]),
            Is.EqualTo(all.Except(["rcn.class.soft"])));
        Assert.That(Terms([full[0], new BoundedBoxes { LearningParts = TwoStageParts.Rcn }, .. full[2..]]),
            Is.EqualTo(all.Except(["rpn.box.bounded"])));
        Assert.That(Terms([full[0], new BoundedBoxes { LearningParts = TwoStageParts.Rpn }, .. full[2..]]),
            Is.EqualTo(all.Except(["rcn.box.bounded"])));
        Assert.That(Terms([.. full[..2], full[3]]), Is.EqualTo(all.Except(["hint.conv2", "hint.conv3"])));
        Assert.That(Terms(full[..3]), Is.EqualTo(all.Except(["cwd.conv2", "cwd.conv3"])), "the losses of Chen et al. alone");
        Assert.That(Terms([new SoftClasses { LabelWeight = 0 }, .. full[1..]]),
            Is.EqualTo(all.Except(["rpn.class.hard", "rcn.class.hard"])));
        Assert.That(Terms([new SoftClasses { LabelWeight = 1 }, new BoundedBoxes { Weight = 0 }, new Hint { Weight = 0 }]),
            Is.EqualTo(new[] { "rpn.class.hard", "rpn.box", "rcn.class.hard", "rcn.box" }));

        static IEnumerable<string> Terms(DistillationLoss[] losses)
        {
            using FasterRcnn student = TinyRun.Detector();
            using TwoStageTeacher teacher = TinyRun.Teacher();
            return Compute(student, teacher, TinyRun.Losses(losses)).Select(term => term.Name);
        }
    }

    [Test]
    public void EveryTerm_TrainsTheStudent()
    {
        using FasterRcnn student = TinyRun.Detector();
        using TwoStageTeacher teacher = TinyRun.Teacher();
        using var data = new DrawnDataset(8);
        LossSelection losses = new([new SoftClasses { Temperature = 2 }, new BoundedBoxes { Margin = 0.1 }, new Hint(), new ChannelWise()])
        {
            Hints = [new("conv2", "conv3"), new("conv3", "conv4")],
        };
        TrainingResult result = TinyRun.Train(TinyRun.Options(8), data, student: student, teacher: teacher, losses: losses);
        Assert.That(result.History[^1].Losses.Keys, Has.Member("hint.conv2").And.Member("hint.conv3"));
        Assert.That(result.History[^1].Loss, Is.LessThan(result.History[0].Loss));
        Assert.That(result.History[^1].Losses["hint.conv3"], Is.LessThan(result.History[0].Losses["hint.conv3"]));
    }

    [Test]
    public void AStudentThatEqualsItsTeacher_IsLeftInPeaceByTheBound()
    {
        using FasterRcnn student = TinyRun.Detector(seed: 3);
        using var teacher = new TwoStageTeacher(TinyRun.Detector(seed: 3), Classes, CPU);
        Dictionary<string, double> equal = Compute(student, teacher, TinyRun.Losses(new BoundedBoxes { Margin = -1e-3 }), training: false)
            .ToDictionary(t => t.Name, t => t.Value);
        Dictionary<string, double> asked = Compute(student, teacher, TinyRun.Losses(new BoundedBoxes { Margin = 1e-3 }), training: false)
            .ToDictionary(t => t.Name, t => t.Value);
        Dictionary<string, double> squared = Compute(student, null, null, training: false, squared: 1)
            .ToDictionary(t => t.Name, t => t.Value);
        Assert.That((equal["rpn.box.bounded"], equal["rcn.box.bounded"]), Is.EqualTo((0, 0)),
            "but for rounding it is no worse than the teacher");
        Assert.That(asked["rpn.box.bounded"], Is.EqualTo(squared["rpn.box.squared"]).Within(1e-5),
            "with a margin the bound is the control's L2");
        Assert.That(asked["rcn.box.bounded"], Is.EqualTo(squared["rcn.box.squared"]).Within(1e-4));
    }

    [Test]
    public void PlainL2_PullsTowardsTheTeachersBoxes()
    {
        LossSelection losses = TinyRun.Losses(new BoundedBoxes { Kind = BoxDistillation.Squared });
        using FasterRcnn student = TinyRun.Detector(seed: 3);
        using var teacher = new TwoStageTeacher(TinyRun.Detector(seed: 3), Classes, CPU);
        Dictionary<string, double> equal = Values(teacher), silent = Values(new SilentTeacher(known: false));
        Dictionary<string, double> squared = Compute(student, null, null, training: false, squared: 1)
            .ToDictionary(t => t.Name, t => t.Value);
        Assert.That(equal.Keys, Has.Member("rpn.box.teacher").And.Member("rcn.box.teacher").And.None.Contains("bounded"));
        Assert.That((equal["rpn.box.teacher"], equal["rcn.box.teacher"]), Is.EqualTo((0.0, 0.0)).Within(1e-6),
            "a student that agrees with its teacher pays nothing, right or wrong");
        Assert.That(silent["rpn.box.teacher"], Is.EqualTo(squared["rpn.box.squared"]).Within(1e-5),
            "without an opinion the ground truth is the target");
        Assert.That(silent["rcn.box.teacher"], Is.EqualTo(squared["rcn.box.squared"]).Within(1e-4));

        Dictionary<string, double> Values(ITeacher teacher)
            => Compute(student, teacher, losses, training: false).ToDictionary(t => t.Name, t => t.Value);
    }

    [Test]
    public void DefaultHint_PairsMapsOfTheNearestSize()
    {
        using FasterRcnn student = TinyRun.Detector();
        using var teacher = new TwoStageTeacher(TinyRun.Detector(widths: [8, 16, 16, 32, 32]), Classes, CPU);
        Assert.That(HintPairs.Resolve(null, student, teacher, CPU), Is.EqualTo(new[] { new HintPair("conv3", "conv5") }));
    }

    [Test]
    public void AHintThatIsNotThere_IsNamed()
    {
        using FasterRcnn student = TinyRun.Detector();
        using TwoStageTeacher teacher = TinyRun.Teacher();
        string message = Assert.Throws<ArgumentException>(() => HintPairs
            .Resolve([new("conv3", "layer9")], student, teacher, CPU))!.Message;
        Assert.That(message, Does.Contain("teacher").And.Contains("'layer9'").And.Contains("'conv4'"));
    }

    [Test]
    public void ClassSpecificBoxes_AndOtherClassOrders_Distil()
    {
        using FasterRcnn student = TinyRun.Detector(options: new FasterRcnnOptions { ClassAgnosticBoxes = false });
        FasterRcnn other = TinyRun.Detector(classes: ["disc", "triangle", "square"],
            options: new FasterRcnnOptions { ClassAgnosticBoxes = false });
        using var teacher = new TwoStageTeacher(other, Classes, CPU);
        Assert.That(Compute(student, teacher, new LossSelection()).Select(term => term.Value), Is.All.Matches<double>(double.IsFinite));
    }

    [Test]
    public void WhereTheTeacherHasNoOpinion_TheLabelsSpeakForIt()
    {
        using FasterRcnn student = TinyRun.Detector();
        LossSelection losses = TinyRun.Losses(new SoftClasses { BackgroundWeight = 1 }, new BoundedBoxes());
        Dictionary<string, double> silent = Values(new SilentTeacher(known: false)), wrong = Values(new SilentTeacher(known: true));

        Assert.That(silent["rpn.class.soft"], Is.EqualTo(silent["rpn.class.hard"]).Within(1e-5));
        Assert.That(silent["rcn.class.soft"], Is.EqualTo(silent["rcn.class.hard"]).Within(1e-5));
        Assert.That((silent["rpn.box.bounded"], silent["rcn.box.bounded"]), Is.EqualTo((0, 0)));
        Assert.That(wrong["rcn.class.soft"], Is.Not.EqualTo(wrong["rcn.class.hard"]).Within(1e-3));
        Assert.That(Compute(student, new SilentTeacher(known: true), new LossSelection()).Select(term => term.Name),
            Has.None.StartsWith("hint").And.None.StartsWith("cwd"), "a teacher without feature maps teaches none");

        Dictionary<string, double> Values(ITeacher teacher)
            => Compute(student, teacher, losses).ToDictionary(term => term.Name, term => term.Value);
    }

    [Test]
    public void ClassesThatTheTeacherLacks_AreLearnedFromLabelsAlone()
    {
        using FasterRcnn student = TinyRun.Detector();
        Dictionary<string, double> terms =
            Compute(student, new SilentTeacher(known: true, 0, 1), TinyRun.Losses(new BoundedBoxes { Margin = 1e9 }))
            .ToDictionary(term => term.Name, term => term.Value);

        Assert.That((terms["rpn.box.bounded"], terms["rcn.box.bounded"]), Is.EqualTo((0, 0)),
            "every object is of a class that the teacher lacks");
    }

    private static List<(string Name, double Value, double Weight)> Compute(
        FasterRcnn student, ITeacher? teacher, LossSelection? losses, bool training = true, double squared = 0)
    {
        using var scope = NewDisposeScope();
        using var data = new DrawnDataset(2);
        using var objective = new TwoStageObjective(student, squared, losses, teacher, CPU);
        ImageSize[] views = teacher is null ? [student.InputSize] : [student.InputSize, teacher.InputSize];
        using DetectionBatch batch = BatchLoader.Load(data, [0, 1], views);
        using ITeacherView? view = teacher?.View(batch);
        student.train(training);
        manual_seed(4);
        IReadOnlyList<LossTerm> terms = objective.Compute(batch.Annotations, batch.Views[0], view);
        return [.. terms.Select(term => (term.Name, term.Value.ToDouble(), term.Weight))];
    }
}
