using Microsoft.ML.Distillation.Data;
using Microsoft.ML.Distillation.Detectors;
using Microsoft.ML.Distillation.Losses;
using Microsoft.ML.Distillation.Teachers;
using Microsoft.ML.Distillation.Teachers.Dense;
using Microsoft.ML.Distillation.Training;
using TorchSharp;
using static TorchSharp.torch;

namespace Microsoft.ML.Distillation.Tests.Training;

public class JointObjectiveTests
{
    private static readonly string[] Classes = ["square", "disc"];

    [Test]
    public void StudentAndTeacher_LearnTogether()
    {
        using var data = new DrawnDataset(8);
        using FasterRcnn student = TinyRun.Detector();
        student.LowerPrecision(LowPrecision.W4A8);
        FasterRcnn detector = TinyRun.Detector(seed: 9, inputSize: 112);
        float[] before = TrainingLoopTests.Values(detector);
        using var teacher = new JointTeacher(new TwoStageTeacher(detector, Classes, CPU), detector);
        using IObjective joint = Joint(student, teacher, 1);
        TrainingResult result = new TrainingLoop([(joint, TinyRun.Options(8))], teacher, data, null, CPU).Run()[0];

        IReadOnlyDictionary<string, double> first = result.History[0].Losses, last = result.History[^1].Losses;
        Assert.That(Sum(last, "teacher."), Is.LessThan(0.8 * Sum(first, "teacher.")));
        Assert.That(Sum(last, "rcn."), Is.LessThan(0.9 * Sum(first, "rcn.")));
        Assert.That(TrainingLoopTests.Values(detector), Is.Not.EqualTo(before));
        Assert.That(result.Detector, Is.SameAs(student));

        static double Sum(IReadOnlyDictionary<string, double> losses, string start)
            => losses.Where(l => l.Key.StartsWith(start, StringComparison.Ordinal)).Sum(l => l.Value);
    }

    [Test]
    public void TheTeachersMaps_AreOfWhatItHasLearnedSoFar()
    {
        using var scope = NewDisposeScope();
        FasterRcnn detector = TinyRun.Detector(seed: 9, inputSize: 112);
        using var teacher = new JointTeacher(new TwoStageTeacher(detector, Classes, CPU), detector);
        using DetectionBatch batch = DetectionBatch.Of(rand(1, 3, detector.InputSize.Height, detector.InputSize.Width));
        Assert.That(LargestValue(), Is.GreaterThan(0));
        using (no_grad())
        {
            foreach (Tensor parameter in detector.parameters()) parameter.zero_();
        }

        Assert.That(LargestValue(), Is.Zero);

        float LargestValue()
        {
            using ITeacherView view = teacher.View(batch);
            return view.Feature(detector.FeatureMaps[^1].Name).max().ToSingle();
        }
    }

    [Test]
    public void TheTeacher_LearnsFromItsOwnLossAlone_TimesAlpha()
    {
        // The student's terms send no gradient into the teacher, and α scales the teacher's.
        float[] one = Gradient(1), three = Gradient(3);
        Assert.That(Gradient(0), Is.All.Zero);
        Assert.That(one.Max(Math.Abs), Is.GreaterThan(1e-4));
        Assert.That(three, Is.EqualTo(one.Select(g => 3 * g)).Within(1e-4));

        static float[] Gradient(double alpha)
        {
            using var scope = NewDisposeScope();
            using var data = new DrawnDataset(2);
            using FasterRcnn student = TinyRun.Detector();
            FasterRcnn detector = TinyRun.Detector(seed: 9, inputSize: 112);
            using var teacher = new JointTeacher(new TwoStageTeacher(detector, Classes, CPU), detector);
            using IObjective joint = Joint(student, teacher, alpha);
            using DetectionBatch batch = BatchLoader.Load(data, [0, 1], [student.InputSize, teacher.InputSize]);
            using ITeacherView view = teacher.View(batch);
            manual_seed(4);
            LossSum.Of(joint.Compute(batch.Annotations, batch.Views[0], view)).Total.backward();
            return [.. detector.parameters().SelectMany(p => p.grad is null ? new float[p.numel()] : p.grad.data<float>().ToArray())];
        }
    }

    [Test]
    public void AOneStagePair_TakesItsOwnLosses_WhichLeaveTheTeacherAlone()
    {
        using var scope = NewDisposeScope();
        using var data = new DrawnDataset(2);
        using OneStageDetector student = OneStageRun.Detector();
        OneStageDetector detector = OneStageRun.Detector(seed: 9, widths: [12, 24, 32]);
        using var teacher = new JointTeacher(new OneStageTeacher(detector, Classes, CPU), detector);
        // So unsure of all as fresh weights are, it would have no opinion.
        using (no_grad()) detector.state_dict()["head.classes.bias"].zero_();
        LossSelection losses = TinyRun.Losses(new BoxDistributions(), new CrossHead());
        using var joint = new JointObjective(
            new OneStageObjective(student, 0, losses, teacher, CPU), new OneStageObjective(detector, 0, null, null, CPU), 0, 1, CPU);
        using DetectionBatch batch = BatchLoader.Load(data, [0, 1], student.InputSize);
        using ITeacherView view = teacher.View(batch);
        IReadOnlyList<LossTerm> terms = joint.Compute(batch.Annotations, batch.Views[0], view);
        LossSum.Of(terms).Total.backward();

        foreach (string name in new[] { "box.distribution", "crosshead.class", "crosshead.box", "teacher.class.hard" })
            Assert.That(terms.Single(term => term.Name == name).Value.ToDouble(), Is.GreaterThan(0), name);
        Assert.That(Gradients(detector), Is.All.Zero);
        Assert.That(Gradients(student).Max(Math.Abs), Is.GreaterThan(1e-4));

        static float[] Gradients(Detector network)
            => [.. network.parameters().SelectMany(p => p.grad is null ? new float[p.numel()] : p.grad.data<float>().ToArray())];
    }

    [Test]
    public void TheTeacher_HasItsOwnLearningRate()
    {
        using FasterRcnn student = TinyRun.Detector();
        FasterRcnn detector = TinyRun.Detector(seed: 9, inputSize: 112);
        using var teacher = new JointTeacher(new TwoStageTeacher(detector, Classes, CPU), detector);
        using IObjective joint = Joint(student, teacher, 1, share: 0.4);
        Assert.That(joint.RateShareOf(detector), Is.EqualTo(0.4));
        Assert.That(joint.RateShareOf(student), Is.EqualTo(1));
        Assert.That(joint.Extras.Where(extra => extra != detector).Select(joint.RateShareOf), Is.Not.Empty.And.All.EqualTo(1),
            "the hint's adaptation belongs to the student");
    }

    [Test]
    public void Alpha_IsThePapersByDefault() => Assert.That(new DistillDetectorOptions { Teacher = null! }.TeacherWeight, Is.EqualTo(1));

    private static JointObjective Joint(FasterRcnn student, JointTeacher teacher, double alpha, double share = 1) => new(
        new TwoStageObjective(student, 0, new LossSelection(), teacher, CPU),
        new TwoStageObjective((FasterRcnn)teacher.Detector, 0, null, null, CPU),
        alpha,
        share,
        CPU);
}
