using Microsoft.ML.Distillation.Detectors;
using Microsoft.ML.Distillation.Teachers;
using Microsoft.ML.Distillation.Tests.Training;
using TorchSharp;
using static TorchSharp.torch;

namespace Microsoft.ML.Distillation.Tests.Teachers;

public class DetectorTeacherTests
{
    private static readonly string[] Classes = ["square", "disc"];

    [Test]
    public void Teacher_ScoresTheBoxesItIsAsked_WithItsOwnHead()
    {
        using var scope = NewDisposeScope();
        FasterRcnn detector = TinyRun.Detector();
        detector.eval();
        Tensor images = rand(2, 3, 64, 80);
        Tensor[] boxes = [tensor(new[] { 8f, 6, 40, 30, 0, 0, 80, 64 }, [2, 4]), tensor(new[] { 20f, 20, 44, 40 }, [1, 4])];
        HeadOutput head = detector.Head(detector.Features(images), boxes);
        Tensor size = tensor(new[] { 80f, 64, 80, 64 });
        using var teacher = new DetectorTeacher(detector, Classes, CPU);
        using ITeacherView view = teacher.View(images);
        BoxScores scores = view.ScoreBoxes([.. boxes.Select(pixels => pixels / size)]);
        AreClose(scores.Probabilities, head.ClassLogits.softmax(1));
        AreClose(scores.RefinedBoxes, FasterRcnn.HeadCoder.Decode(head.Deltas, cat(boxes).unsqueeze(1)) / size);
        Assert.That(scores.Probabilities.requires_grad, Is.False);
    }

    [Test]
    public void Teacher_ScoresItsOwnAnchors_WithItsOwnRpn()
    {
        using var scope = NewDisposeScope();
        FasterRcnn detector = TinyRun.Detector();
        detector.eval();
        Tensor images = rand(2, 3, 64, 80), size = tensor(new[] { 80f, 64, 80, 64 });
        RpnOutput rpn = detector.Rpn(detector.Features(images));
        using var teacher = new DetectorTeacher(detector, Classes, CPU);
        using ITeacherView view = teacher.View(images);
        AnchorScores scores = view.ScoreAnchors(detector.Anchors / size);
        AreClose(scores.Objectness, rpn.Objectness.sigmoid());
        AreClose(scores.RefinedBoxes, FasterRcnn.RpnCoder.Decode(rpn.Deltas, detector.Anchors) / size);
        Assert.That(scores.Known.all().ToBoolean());
    }

    [Test]
    public void AnchorsOfAnotherGrid_AreAnsweredByTheMostSimilar()
    {
        using var scope = NewDisposeScope();
        FasterRcnn student = TinyRun.Detector();
        using DetectorTeacher teacher = TinyRun.Teacher();
        Tensor shares = student.Anchors / tensor(new[] { 80f, 64, 80, 64 });
        using ITeacherView view = teacher.View(rand(1, 3, teacher.InputSize.Height, teacher.InputSize.Width));
        AnchorScores scores = view.ScoreAnchors(shares);
        Assert.That(scores.Objectness.shape, Is.EqualTo(new[] { 1, student.Anchors.shape[0] }));
        Assert.That(scores.RefinedBoxes.shape, Is.EqualTo(new[] { 1, student.Anchors.shape[0], 4 }));
        Assert.That(scores.Known.to(float32).mean().ToSingle(), Is.GreaterThan(0.8f));
    }

    [Test]
    public void AnAnchorThatTheTeacherDoesNotHave_IsUnknown()
    {
        using var scope = NewDisposeScope();
        Tensor teacher = tensor(new[] { 0f, 0, 0.5f, 0.5f, 0.5f, 0.5f, 1, 1 }, [2, 4]);
        Tensor student = tensor(new[] { 0.5f, 0.5f, 0.9f, 1, 0, 0, 0.1f, 0.1f, 0, 0, 0.5f, 0.4f }, [3, 4]);
        using AnchorMap map = AnchorMap.Between(student, teacher);
        Assert.That(map.Known.data<bool>().ToArray(), Is.EqualTo(new[] { true, false, true }));
        Tensor answers = map.Select(tensor(new[] { 0.25f, 0.75f }, [1, 2]));
        Assert.That(answers.data<float>().ToArray(), Is.EqualTo(new[] { 0.75f, 0.25f, 0.25f }));
    }

    [Test]
    public void Classes_AreMatchedByName_AndTheRestIsBackground()
    {
        using var scope = NewDisposeScope();
        using var map = new ClassMap(["cat", "dog", "car"], ["car", "cat"], CPU);
        Tensor probabilities = map.Probabilities(tensor(new[] { 0.1f, 0.2f, 0.3f, 0.4f }, [1, 4]));
        AreClose(probabilities, tensor(new[] { 0.4f, 0.4f, 0.2f }, [1, 3]));
        Tensor boxes = map.Boxes(arange(12, float32).view(1, 3, 4));
        AreClose(boxes, cat([arange(8, 12, float32), arange(4, float32)]).view(1, 2, 4));
        Assert.That(map.Boxes(zeros(5, 1, 4)).shape, Is.EqualTo(new long[] { 5, 1, 4 }), "boxes shared by all classes stay");
    }

    [Test]
    public void AClassThatTheTeacherLacks_IsNamed()
    {
        using FasterRcnn detector = TinyRun.Detector();
        string message = Assert.Throws<ArgumentException>(() => new DetectorTeacher(detector, ["disc", "hexagon"], CPU).Dispose())!.Message;
        Assert.That(message, Does.Contain("'hexagon'").And.Contains("'square', 'disc'"));
    }

    private static void AreClose(Tensor actual, Tensor expected)
    {
        Assert.That(actual.shape, Is.EqualTo(expected.shape));
        Assert.That((actual - expected).abs().max().ToSingle(), Is.LessThan(1e-5));
    }
}
