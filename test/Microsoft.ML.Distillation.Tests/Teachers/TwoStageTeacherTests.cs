using Microsoft.ML.Distillation.Data;
using Microsoft.ML.Distillation.Detectors;
using Microsoft.ML.Distillation.Detectors.Boxes;
using Microsoft.ML.Distillation.Rows;
using Microsoft.ML.Distillation.Teachers;
using Microsoft.ML.Distillation.Teachers.Dense;
using Microsoft.ML.Distillation.Tests.Training;
using Microsoft.ML.Distillation.Training;
using TorchSharp;
using static TorchSharp.torch;

namespace Microsoft.ML.Distillation.Tests.Teachers;

public class TwoStageTeacherTests
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
        using var teacher = new TwoStageTeacher(detector, Classes, CPU);
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
        using var teacher = new TwoStageTeacher(detector, Classes, CPU);
        using ITeacherView view = teacher.View(images);
        AnchorScores scores = view.ScoreAnchors(detector.Anchors / size);
        AreClose(scores.Objectness, rpn.Objectness.sigmoid());
        AreClose(scores.RefinedBoxes, FasterRcnn.RpnCoder.Decode(rpn.Deltas, detector.Anchors) / size);
        Assert.That(scores.Known.all().ToBoolean());
    }

    [Test]
    public void AnchorsThatHaveTheirLike_AreAnsweredByIt_AndOthersByNone()
    {
        using var scope = NewDisposeScope();
        Tensor teacher = tensor(new[] { 0f, 0, 0.5f, 0.5f, 0.5f, 0.5f, 1, 1 }, [2, 4]);
        using AnchorMap map = AnchorMap.Between(tensor(new[] { 0.5f, 0.5f, 0.98f, 1, 0, 0, 0.5f, 0.47f }, [2, 4]), teacher)!;
        Tensor answers = map.Select(tensor(new[] { 0.25f, 0.75f }, [1, 2]));
        Assert.That(answers.data<float>().ToArray(), Is.EqualTo(new[] { 0.75f, 0.25f }));
        Assert.That(AnchorMap.Between(tensor(new[] { 0.5f, 0.5f, 1, 1, 0, 0, 0.5f, 0.4f }, [2, 4]), teacher), Is.Null,
            "of the second a fifth is missing");
    }

    [Test]
    public void AnchorsOfAnotherGrid_AreAnsweredByWhereTheObjectsAre()
    {
        using var scope = NewDisposeScope();
        // The teacher is sure of an object and unsure of another, each found from an anchor elsewhere; the third is noise.
        Tensor objectness = tensor(new[] { .9f, .3f, .1f }, [1, 3]);
        Tensor refined = tensor(new[] { .1f, .1f, .3f, .3f, .6f, .6f, .8f, .8f, .1f, .7f, .3f, .9f }, [1, 3, 4]);
        Tensor anchors = tensor(new[]
        {
            .1f, .1f, .3f, .34f, // of the first
            .15f, .15f, .2f, .2f, // within it, and another size
            .6f, .6f, .8f, .8f, // of the unsure one
            .1f, .7f, .3f, .9f, // of noise
            .4f, .1f, .5f, .2f, // of nothing
        }, [5, 4]);
        AnchorScores scores = RefinedAnchors.Score(anchors, objectness, refined);
        Assert.That(scores.Objectness.data<float>().ToArray(), Is.EqualTo(new[] { .9f, 0, 0, 0, 0 }).Within(1e-6f));
        Assert.That(scores.Known.data<bool>().ToArray(), Is.EqualTo(new[] { true, true, false, true, true }));
        Assert.That(scores.KnownBoxes!.data<bool>().ToArray(), Is.EqualTo(new[] { true, false, false, false, false }));
        AreClose(scores.RefinedBoxes[0, 0], refined[0, 0]);
        Assert.That(scores.AreQualities, Is.False, "an RPN says how likely an object is");
    }

    /// <summary>Of a small object the best anchor of a coarse grid may overlap little; it is the object's all the same.</summary>
    [Test]
    public void AnObjectThatNoAnchorFits_IsAnsweredByItsBestAnchor()
    {
        using var scope = NewDisposeScope();
        Tensor anchors = tensor(new[] { .1f, .1f, .3f, .3f, .3f, .1f, .5f, .3f }, [2, 4]);
        AnchorScores scores = RefinedAnchors.Score(
            anchors, tensor(new[] { .8f }, [1, 1]), tensor(new[] { .12f, .12f, .24f, .24f }, [1, 1, 4]));
        Assert.That(scores.Objectness.data<float>().ToArray(), Is.EqualTo(new[] { .8f, 0 }).Within(1e-6f), "IoU .36");
    }

    [Test]
    public void AStudentOfAnotherGrid_IsTaughtItsPositives_BySizeToo()
    {
        using var scope = NewDisposeScope();
        using var data = new DrawnDataset(8);
        FasterRcnn detector = TinyRun.Detector(inputSize: 96, widths: [12, 24, 32]);
        TinyRun.Train(TinyRun.Options(80) with { Augmentation = AugmentationOptions.None }, data, student: detector);
        using FasterRcnn student = TinyRun.Detector(inputSize: 80);
        using var teacher = new TwoStageTeacher(detector, Classes, CPU);
        Tensor size = tensor(new float[]
            { student.InputSize.Width, student.InputSize.Height, student.InputSize.Width, student.InputSize.Height });
        Tensor anchors = student.Anchors / size;
        Assert.That(AnchorMap.Between(anchors, detector.Anchors / tensor(new float[]
            { detector.InputSize.Width, detector.InputSize.Height, detector.InputSize.Width, detector.InputSize.Height })), Is.Null);
        using DetectionBatch batch = BatchLoader.Load(data, [.. Enumerable.Range(0, 8)], teacher.InputSize);
        using ITeacherView view = teacher.View(batch);
        AnchorScores scores = view.ScoreAnchors(anchors);
        int positives = 0, known = 0, wrong = 0;
        for (int n = 0; n < batch.Count; n++)
        {
            if (batch.Annotations[n].Count == 0) continue;
            Tensor iou = BoxOps.Iou(anchors, TensorArrays.Boxes(batch.Annotations[n].Boxes, CPU));
            // Positive as an RPN's are: by 0.7, or as an object's best.
            Tensor positive = (iou >= 0.7).logical_or(iou.ge(iou.amax([0], keepdim: true))).any(1);
            Tensor isKnown = scores.Known[n] & positive;
            positives += (int)positive.sum().ToInt64();
            known += (int)isKnown.sum().ToInt64();
            wrong += (int)(isKnown & (scores.Objectness[n] < 0.5)).sum().ToInt64();
        }

        TestContext.Out.WriteLine($"{known} of {positives} known, {wrong} of them wrong");
        Assert.That(positives, Is.GreaterThan(10));
        Assert.That(known, Is.GreaterThan(0.8 * positives));
        Assert.That(wrong, Is.LessThan(0.1 * known));
    }

    [Test]
    public void Classes_AreMatchedByName_AndTheRestIsBackground()
    {
        using var scope = NewDisposeScope();
        using var columns = new ClassColumns(new ClassMatch(["cat", "dog", "car"], ["car", "cat"]), CPU);
        Tensor theirs = tensor(new[] { 0.1f, 0.2f, 0.3f, 0.4f }, [1, 4]), asked = zeros(1, 4);
        AreClose(columns.Probabilities(theirs), tensor(new[] { 0.4f, 0.4f, 0.2f }, [1, 3]));
        Tensor boxes = columns.Boxes(arange(12, float32).view(1, 3, 4), theirs, asked);
        AreClose(boxes, cat([arange(8, 12, float32), arange(4, float32)]).view(1, 2, 4));
        Assert.That(columns.Boxes(zeros(5, 1, 4), theirs, asked).shape, Is.EqualTo(new long[] { 5, 1, 4 }),
            "boxes shared by all classes stay");
    }

    [Test]
    public void ClassesOfOneMeaning_AreAddedUp_TheLikeliestsBoxStands_AndAMissingOneIsNeverThere()
    {
        using var scope = NewDisposeScope();
        using var columns = new ClassColumns(new ClassMatch(["airplane", "dog", "Aeroplane"], ["aeroplane", "ship"]), CPU);
        Tensor theirs = tensor(new[] { 0.1f, 0.2f, 0.3f, 0.4f, 0.1f, 0.5f, 0.1f, 0.3f }, [2, 4]), asked = full([2, 4], 9f);
        AreClose(columns.Probabilities(theirs), tensor(new[] { 0.4f, 0.6f, 0, 0.2f, 0.8f, 0 }, [2, 3]));
        Tensor boxes = columns.Boxes(arange(24, float32).view(2, 3, 4), theirs, asked);
        AreClose(boxes, cat([arange(8, 12, float32), full([4], 9f), arange(12, 16, float32), full([4], 9f)]).view(2, 2, 4));
    }

    [Test]
    public void AClassThatTheTeacherLacks_IsReported_AndTheOthersAreScored()
    {
        using var scope = NewDisposeScope();
        using var teacher = new TwoStageTeacher(TinyRun.Detector(), ["disc", "hexagon"], CPU);
        Assert.That(teacher.Abilities.UnknownClasses, Is.EqualTo(new[] { 1 }));
        Assert.That(teacher.Abilities.IgnoredClasses, Is.EqualTo(new[] { "square" }));
        using ITeacherView view = teacher.View(rand(1, 3, 64, 80));
        Tensor box = tensor(new[] { .1f, .1f, .5f, .6f }, [1, 4]);
        BoxScores scores = view.ScoreBoxes([box]);
        Assert.That(scores.Probabilities.shape, Is.EqualTo(new long[] { 1, 3 }));
        Assert.That(scores.Probabilities[0, 2].ToSingle(), Is.Zero);
        Assert.That(scores.Probabilities.sum().ToSingle(), Is.EqualTo(1).Within(1e-5));
        Assert.That(teacher.Detect(rand(1, 3, 64, 80), [new(80, 64)]).Single().Labels, Is.All.Zero, "only discs");
    }

    [Test]
    public void NoClassInCommon_IsAnError_ThatNamesTheClasses()
    {
        using FasterRcnn detector = TinyRun.Detector();
        string message = Assert.Throws<ArgumentException>(() => new TwoStageTeacher(detector, ["hexagon"], CPU).Dispose())!.Message;
        Assert.That(message, Does.Contain("'hexagon'").And.Contains("'square', 'disc'").And.Not.Contains("Aliases"),
            "which only ONNX teachers have");
    }

    [Test]
    public void AnAnchor_IsAboutTheDetectionThatItOverlapsMost()
    {
        using var scope = NewDisposeScope();
        // A dog, a cat, and a little dog; that the first dog could also be a cat, hardly, does not count.
        var found = new Detections([0, 0, .5f, .5f, .5f, .5f, 1, 1, .8f, .1f, .84f, .14f, 0, 0, .5f, .48f], [.9f, .8f, .7f, .1f],
            [1, 0, 1, 0]);
        Tensor anchors = tensor(new[] { 0f, 0, .5f, .4f, .5f, .5f, 1, .9f, .3f, .3f, .8f, .8f, .75f, .05f, .9f, .2f, 0, .9f, .1f, 1 },
            [5, 4]);
        Tensor away = IgnoredObjects.AwayFrom(anchors, found, new ClassMatch(["cat", "dog"], ["cat"]));
        Assert.That(away.data<bool>().ToArray(), Is.EqualTo(new[] { false, true, true, false, true }),
            "dog, cat, rather cat, the anchor nearest to the little dog, nothing");
        Assert.That(IgnoredObjects.AwayFrom(anchors, new Detections([], [], []), new ClassMatch(["cat", "dog"], ["cat"])).all()
            .ToBoolean());
    }

    [Test]
    public void OfIgnoredObjects_TheRpnSaysNothing_WhereItCallsThemObjects()
    {
        using var scope = NewDisposeScope();
        using var data = new DrawnDataset(8);
        FasterRcnn detector = TinyRun.Detector(inputSize: 96, widths: [12, 24, 32]);
        TinyRun.Train(TinyRun.Options(80) with { Augmentation = AugmentationOptions.None }, data, student: detector);
        Tensor anchors = detector.Anchors / tensor(
            new float[] { detector.InputSize.Width, detector.InputSize.Height, detector.InputSize.Width, detector.InputSize.Height });
        using var teacher = new TwoStageTeacher(detector, ["disc"], CPU);
        using DetectionBatch batch = BatchLoader.Load(data, [.. Enumerable.Range(0, 8)], teacher.InputSize);
        using ITeacherView view = teacher.View(batch);
        AnchorScores scores = view.ScoreAnchors(anchors);
        (int called, int kept) squares = Objects(0), discs = Objects(1);
        TestContext.Out.WriteLine($"squares {squares}, discs {discs} of {data.Count} images");
        Assert.That(Math.Min(squares.called, discs.called), Is.GreaterThan(5), "the RPN finds both");
        Assert.That(squares.kept, Is.LessThan(0.1 * squares.called));
        Assert.That(discs.kept, Is.GreaterThan(0.9 * discs.called));

        // Of the objects of a class, anchors that fit one and that the RPN calls an object, and those of them on which the teacher has an
        // opinion.
        (int, int) Objects(int label)
        {
            int called = 0, kept = 0;
            for (int n = 0; n < batch.Count; n++)
            {
                Annotation image = batch.Annotations[n];
                float[] boxes = [.. Enumerable.Range(0, image.Count).Where(i => image.Labels[i] == label)
                    .SelectMany(i => image.Boxes[(4 * i)..(4 * i + 4)])];
                if (boxes.Length == 0) continue;
                Tensor fits = (BoxOps.Iou(anchors, TensorArrays.Boxes(boxes, CPU)).amax([1]) >= 0.4) & (scores.Objectness[n] > 0.5);
                called += (int)fits.sum().ToInt64();
                kept += (int)(fits & scores.Known[n]).sum().ToInt64();
            }

            return (called, kept);
        }
    }

    [Test]
    public void AStudentOfOtherClasses_LearnsFromIt()
    {
        using var data = new DrawnDataset(4);
        foreach (string[] classes in new[] { ["square"], new[] { "disc", "square", "ring" } })
        {
            using var teacher = new TwoStageTeacher(TinyRun.Detector(seed: 9, inputSize: 112, classes: classes), Classes, CPU);
            EpochSummary epoch = TinyRun.Train(TinyRun.Options(1), data, teacher: teacher,
                losses: TinyRun.Losses(new SoftClasses(), new BoundedBoxes())).History[^1];
            Assert.That(epoch.Losses.Keys, Has.Some.EqualTo("rcn.class.soft").And.Some.EqualTo("rpn.class.soft"));
            Assert.That(epoch.Losses.Values, Is.All.GreaterThanOrEqualTo(0));
        }
    }

    private static void AreClose(Tensor actual, Tensor expected)
    {
        Assert.That(actual.shape, Is.EqualTo(expected.shape));
        Assert.That((actual - expected).abs().max().ToSingle(), Is.LessThan(1e-5));
    }
}
