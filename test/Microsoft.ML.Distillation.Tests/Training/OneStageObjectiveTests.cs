using Microsoft.ML.Distillation.Data;
using Microsoft.ML.Distillation.Detectors;
using Microsoft.ML.Distillation.Detectors.Boxes;
using Microsoft.ML.Distillation.Losses;
using Microsoft.ML.Distillation.Rows;
using Microsoft.ML.Distillation.Teachers;
using Microsoft.ML.Distillation.Teachers.Dense;
using Microsoft.ML.Distillation.Training;
using TorchSharp;
using static TorchSharp.torch;

namespace Microsoft.ML.Distillation.Tests.Training;

public class OneStageObjectiveTests
{
    private static readonly string[] Classes = ["square", "disc"];

    [TestCase(OneStageAssignment.TaskAligned, 8)]
    [TestCase(OneStageAssignment.TaskAligned, 8, 16)]
    [TestCase(OneStageAssignment.Atss, 8, 16)]
    public void TinyDetector_LearnsDrawnImages(OneStageAssignment assignment, params int[] strides)
    {
        using var data = new DrawnDataset(16);
        using OneStageDetector student = OneStageRun
            .Detector(options: new OneStageOptions { Channels = 24, Assignment = assignment, Strides = strides });
        TrainingResult result = OneStageRun.Train(TinyRun.Options(40) with { ValidationEvery = 40 }, data, student, data);
        TestContext.Out.WriteLine($"AP {result.BestAp}, AP50 {result.History[^1].ValidationAp50}");
        Assert.That(result.History[^1].Loss, Is.LessThan(0.6 * result.History[0].Loss));
        Assert.That(result.History[^1].ValidationAp50, Is.GreaterThan(0.7));
    }

    [Test]
    public void Weights_ByDefault_AndAsAskedFor()
    {
        const string Labels = "class.hard 1, box 2, box.edges 0.25";
        const string OnMaps = "hint.neck0 0.25, hint.neck1 0.25, cwd.neck0 5, cwd.neck1 5";
        using var teacher = new SilentTeacher(known: true);
        Assert.That(Weights(null), Is.EqualTo($"{Labels}, {OnMaps}"), "beside CWD the teacher teaches neither classes nor boxes");
        Assert.That(Weights(null, teacher), Is.EqualTo($"{Labels}, class.soft 0.5, box.bounded 1"));
        Assert.That(Weights([new SoftClasses { LabelWeight = 0.5 }]), Is.EqualTo("class.hard 0.5, box 2, box.edges 0.25, class.soft 0.5"),
            "Chen's μ");
        Assert.That(Weights([new SoftClasses { LabelWeight = 0.7, Weight = 2 }]),
            Is.EqualTo("class.hard 0.7, box 2, box.edges 0.25, class.soft 2"), "Apprentice's β and γ");
        Assert.That(Weights([new BoundedBoxes { Weight = 2 }, new Hint(), new ChannelWise()]),
            Is.EqualTo($"{Labels}, box.bounded 4, {OnMaps}"), "what is asked for is done");
        using OneStageDetector alone = OneStageRun.Detector();
        Assert.That(OneStageRun.Text(alone, null, null, squared: 0.5), Is.EqualTo($"{Labels}, box.unbounded 1"));

        static string Weights(IReadOnlyList<DistillationLoss>? losses, ITeacher? teacher = null)
        {
            using OneStageDetector student = OneStageRun.Detector();
            using TwoStageTeacher withMaps = TinyRun.Teacher();
            return OneStageRun.Text(student, teacher ?? withMaps, new LossSelection(losses));
        }
    }

    [Test]
    public void EachSwitch_TakesItsTermAway()
    {
        string[] usual = ["class.hard", "box", "box.edges", "hint.neck0", "hint.neck1", "cwd.neck0", "cwd.neck1"];
        string[] all = ["class.hard", "box", "box.edges", "class.soft", "box.bounded", "hint.neck0", "hint.neck1", "cwd.neck0",
            "cwd.neck1"];
        DistillationLoss[] full = [new SoftClasses(), new BoundedBoxes(), new Hint(), new ChannelWise()];
        using OneStageDetector student = OneStageRun.Detector();
        using TwoStageTeacher teacher = TinyRun.Teacher();
        Assert.That(Terms(null), Is.EquivalentTo(usual));
        Assert.That(Terms(full), Is.EquivalentTo(all));
        Assert.That(Terms(full[1..]), Is.EquivalentTo(all.Except(["class.soft"])));
        Assert.That(Terms([full[0], .. full[2..]]), Is.EquivalentTo(all.Except(["box.bounded"])));
        Assert.That(Terms([.. full[..2], full[3]]), Is.EquivalentTo(all.Except(["hint.neck0", "hint.neck1"])));
        Assert.That(Terms(full[..3]), Is.EquivalentTo(all.Except(["cwd.neck0", "cwd.neck1"])), "Chen's losses");
        Assert.That(Terms([new SoftClasses { LabelWeight = 0 }, .. full[1..]]), Is.EquivalentTo(all.Except(["class.hard"])));
        Assert.That(OneStageRun.Terms(student, null, null, squared: 1).Keys,
            Is.EquivalentTo(new[] { "class.hard", "box", "box.edges", "box.unbounded" }));

        IEnumerable<string> Terms(DistillationLoss[]? losses) => OneStageRun.Terms(student, teacher, new LossSelection(losses)).Keys;
    }

    [Test]
    public void SquaredLossToTheTeachersBoxes_IsRefused()
    {
        using OneStageDetector student = OneStageRun.Detector();
        using TwoStageTeacher teacher = TinyRun.Teacher();
        LossSelection losses = TinyRun.Losses(new BoundedBoxes { Kind = BoxDistillation.Squared });
        Assert.That(() => new OneStageObjective(student, 0, losses, teacher, CPU),
            Throws.ArgumentException.With.Message.Contains("BoundedBoxes").And.Message.Contains("two-stage"));
    }

    [Test]
    public void EveryTeacher_TeachesEveryStudent()
    {
        using var data = new DrawnDataset(8);
        foreach (bool oneStageTeacher in new[] { false, true })
        {
            using OneStageDetector student = OneStageRun.Detector();
            using ITeacher teacher = oneStageTeacher ? new OneStageTeacher(OneStageRun.Detector(seed: 9, inputSize: 112), Classes, CPU)
                : TinyRun.Teacher();
            TrainingResult result = OneStageRun.Train(TinyRun.Options(8), data, student, teacher: teacher,
                losses: TinyRun.Losses(new SoftClasses(), new BoundedBoxes { Margin = 0.1 }, new Hint()));
            Assert.That(result.History[^1].Loss, Is.LessThan(result.History[0].Loss));
            Assert.That(result.History[^1].Losses.Keys, Has.Member("hint.neck0").And.Member("class.soft").And.Member("box.bounded"));
            Assert.That(result.History[^1].Losses["hint.neck1"], Is.LessThan(result.History[0].Losses["hint.neck1"]));
        }

        using FasterRcnn twoStage = TinyRun.Detector();
        using var dense = new OneStageTeacher(OneStageRun.Detector(seed: 9, inputSize: 112), Classes, CPU);
        TrainingResult two = TinyRun.Train(TinyRun.Options(4), data, student: twoStage, teacher: dense, losses: new LossSelection());
        Assert.That(two.History[^1].Losses.Keys, Has.Member("rcn.class.soft").And.Some.StartsWith("hint"));
        Assert.That(two.History[^1].Loss, Is.LessThan(two.History[0].Loss));
    }

    [Test]
    public void TheTeacherIsAsked_AboutTheBoxesThatTheStudentPredicts()
    {
        using var scope = NewDisposeScope();
        using OneStageDetector student = OneStageRun.Detector();
        using var data = new DrawnDataset(2);
        using var objective = new OneStageObjective(student, 0, new LossSelection(), new SilentTeacher(known: true), CPU);
        using DetectionBatch batch = BatchLoader.Load(data, [0, 1], student.InputSize);
        student.eval();
        using var spy = new Spy();
        objective.Compute(batch.Annotations, batch.Views[0], spy);

        Tensor size = tensor(new[] { 80f, 64, 80, 64 });
        Tensor own = student.Coder.Decode(student.Answer(student.Features(batch.Views[0])).Edges) / size;
        Assert.That(spy.Asked, Has.Count.EqualTo(2));
        for (int n = 0; n < 2; n++)
        {
            Assert.That(spy.Asked[n].shape, Is.EqualTo(new long[] { 64, 4 }));
            Assert.That(spy.Asked[n].requires_grad, Is.False);
            // Every box that was asked about is one of the image's own, limited to the image.
            Tensor nearest = cdist(spy.Asked[n], own[n].clamp(0, 1)).amin([1]);
            Assert.That(nearest.max().ToSingle(), Is.LessThan(1e-3));
        }
    }

    [Test]
    public void AskedLocations_AreTheBestOfEachKind()
    {
        using var scope = NewDisposeScope();
        // Two images of five locations; of the first 1, 2 and 4 have objects, of the second none.
        Tensor logits = tensor(new[] { 0.5f, 9, 9, -1, 9, 3, 1, 4, 2, 5 }, [2, 5, 1]);
        Tensor rows = tensor(new[] { 1L, 2, 4 }), qualities = tensor(new[] { 0.2f, 0.9f, 0.4f });
        var targets = new DenseTargets(rows, rows, zeros(3, int64), zeros(3, 4), qualities, qualities, 1.5, 1.5);
        SampledLocations asked = SampledLocations.Of(logits, targets, 4);
        Assert.That(TensorArrays.Integers(asked.Images[0]), Is.EqualTo(new[] { 2, 4, 0, 3 }));
        Assert.That(TensorArrays.Integers(asked.Images[1]), Is.EqualTo(new[] { 4, 2, 0, 3 }));
        Assert.That(TensorArrays.Integers(asked.Rows), Is.EqualTo(new[] { 2, 4, 0, 3, 9, 7, 5, 8 }));
        Assert.That(TensorArrays.Integers(asked.PositiveRows), Is.EqualTo(new[] { 0, 1 }));
        Assert.That(TensorArrays.Integers(asked.Targets), Is.EqualTo(new[] { 1, 2 }));
    }

    [Test]
    public void WhereTheTeacherHasNoOpinion_TheTargetScoresSpeakForIt_AndNothingBounds()
    {
        using OneStageDetector student = OneStageRun.Detector();
        LossSelection losses = TinyRun.Losses(new SoftClasses(), new BoundedBoxes { Margin = 1e9 });
        Dictionary<string, double> silent = OneStageRun.Terms(student, new SilentTeacher(known: false), losses);
        Dictionary<string, double> wrong = OneStageRun.Terms(student, new SilentTeacher(known: true), losses);
        Dictionary<string, double> lacking = OneStageRun.Terms(student, new SilentTeacher(known: true, 0, 1), losses);
        Assert.That((silent["box.bounded"], lacking["box.bounded"]), Is.EqualTo((0, 0)));
        Assert.That(wrong["box.bounded"], Is.GreaterThan(0));
        Assert.That(silent["class.soft"], Is.EqualTo(lacking["class.soft"]));
        Assert.That(Math.Abs(wrong["class.soft"] / silent["class.soft"] - 1), Is.GreaterThan(0.2),
            "as much for each class is far from the truth");
        Assert.That(OneStageRun.Terms(student, new SilentTeacher(known: true), new LossSelection()).Keys,
            Has.None.Contains("hint").And.None.Contains("cwd"));
    }

    [Test]
    public void WithAnEndlessMargin_TheBoundIsTheControlsLoss()
    {
        using OneStageDetector student = OneStageRun.Detector();
        using TwoStageTeacher teacher = TinyRun.Teacher();
        Dictionary<string, double> bounded = OneStageRun
            .Terms(student, teacher, TinyRun.Losses(new BoundedBoxes { Margin = 1e9 }), training: false);
        Dictionary<string, double> unbounded = OneStageRun.Terms(student, null, null, training: false, squared: 1);
        Assert.That(bounded["box.bounded"], Is.EqualTo(unbounded["box.unbounded"]).Within(1e-6).And.GreaterThan(0));
    }

    [Test]
    public void ImagesWithoutObjects_HaveAFiniteLossAndGradient()
    {
        using var scope = NewDisposeScope();
        using OneStageDetector student = OneStageRun.Detector();
        using TwoStageTeacher teacher = TinyRun.Teacher();
        using var objective = new OneStageObjective(student, 1, TinyRun
            .Losses(new SoftClasses(), new BoundedBoxes(), new Hint(), new ChannelWise()), teacher, CPU);
        student.train();
        using ITeacherView view = teacher.View(rand(2, 3, teacher.InputSize.Height, teacher.InputSize.Width));
        IReadOnlyList<LossTerm> terms = objective.Compute([Annotation.Empty, Annotation.Empty], rand(2, 3, 64, 80), view);
        LossSum loss = LossSum.Of(terms);
        loss.Total.backward();
        Assert.That(terms.Select(term => term.Value.ToDouble()), Is.All.Matches<double>(double.IsFinite));
        foreach (TorchSharp.Modules.Parameter parameter in student.parameters())
            if (parameter.grad is { } gradient) Assert.That(gradient.isfinite().all().ToBoolean());
    }

    private sealed class Spy : ITeacherView
    {
        public IReadOnlyList<Tensor> Asked { get; private set; } = [];

        public Tensor Feature(string name) => throw new NotSupportedException();

        public BoxScores ScoreBoxes(IReadOnlyList<Tensor> boxes)
        {
            Asked = [.. boxes.Select(image => image.clone().DetachFromDisposeScope())];
            return new BoxScores(full([boxes.Sum(image => image.shape[0]), 3], 1f / 3), cat([.. boxes]).unsqueeze(1));
        }

        public AnchorScores ScoreAnchors(Tensor anchors) => throw new NotSupportedException("a one-stage student has no anchors");

        public EdgeScores ScoreEdges(IReadOnlyList<Tensor> boxes) => throw new NotSupportedException("nobody asked for LD");

        public DenseOutput HeadAnswer => throw new NotSupportedException("nobody asked for CrossKD");

        public void Dispose()
        {
            foreach (Tensor image in Asked) image.Dispose();
        }
    }
}
