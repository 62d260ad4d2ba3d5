using Microsoft.ML.Distillation.Detectors;
using Microsoft.ML.Distillation.Teachers;
using Microsoft.ML.Distillation.Training;
using static TorchSharp.torch;

namespace Microsoft.ML.Distillation.Tests.Training;

public class LossSelectionTests
{
    private static readonly string[] Classes = ["square", "disc"];

    [TestCase(false, true, false, ExpectedResult = "class.soft 0.5, box.bounded 0.5, hint 0.5, cwd 10 (by default)")]
    [TestCase(false, true, true, ExpectedResult = "class.soft 0.5, box.bounded 0.5, hint 0.5 (by default)")]
    [TestCase(false, false, false, ExpectedResult = "class.soft 0.5, box.bounded 0.5 (by default)")]
    [TestCase(true, true, false, ExpectedResult = "hint 0.5, cwd 10 (by default)")]
    [TestCase(true, true, true, ExpectedResult = "class.soft 0.5, box.bounded 0.5, hint 0.5 (by default)")]
    [TestCase(true, false, false, ExpectedResult = "class.soft 0.5, box.bounded 0.5 (by default)")]
    public string TheDefault_DependsOnFamilyMapsAndStart(bool isOneStage, bool teacherHasMaps, bool startsTrained)
        => new LossSelection().Describe(LossSelection.Default(isOneStage, teacherHasMaps, startsTrained));

    [Test]
    public void OfFreshOneStageStudents_TheLossesOnMaps_FadeOverTheFirstHalf()
    {
        DistillationLoss[] wanted =
        [
            new Hint { FadeFrom = 0, FadeUntil = 0.5 }, new ChannelWise { FadeFrom = 0, FadeUntil = 0.5 },
        ];
        Assert.That(LossSelection.Default(isOneStage: true, teacherHasMaps: true, startsTrained: false), Is.EqualTo(wanted));
        Assert.That(LossSelection.Default(isOneStage: true, teacherHasMaps: true, startsTrained: true), Does.Contain(new Hint()));
        Assert.That(LossSelection.Default(isOneStage: false, teacherHasMaps: true, startsTrained: false), Does.Contain(new ChannelWise()));
    }

    [TestCase(false, false)]
    [TestCase(true, false)]
    [TestCase(true, true)]
    public void WhatTheOptionsCallTheDefault_IsWhatTrainingChooses(bool isOneStage, bool startsTrained)
    {
        using var folder = new TemporaryFolder();
        using Detector student = isOneStage ? OneStageRun.Detector() : TinyRun.Detector();
        string path = Path.Combine(folder.Path, "detector.onnx");
        File.WriteAllBytes(path, DetectorFile.Export(student).ToBytes());
        var options = new DistillDetectorOptions
        {
            Teacher = Teacher.FromModel(path),
            Student = isOneStage && !startsTrained ? DetectorPlan.OneStage(Backbone.ResNet18) : DetectorPlan.FasterRcnn(Backbone.ResNet18),
            InitialStudent = startsTrained ? TrainedDetector.FromModel(path) : null,
        };
        using ITeacher teacher = options.Teacher.Open(Classes, CPU);
        Assert.That(options.DefaultLosses(), Is.EqualTo(options.Setup.Distillation!.Losses.For(student, teacher)));
        Hint kept = new(), fading = kept with { FadeFrom = 0, FadeUntil = 0.5 };
        Assert.That(options.DefaultLosses([kept]).OfType<FeatureMapLoss>(),
            Is.EqualTo(new[] { isOneStage && !startsTrained ? fading : kept }));
    }

    [Test]
    public void ALossThatIsNamedTwice_IsRefused()
    {
        using FasterRcnn student = TinyRun.Detector();
        using ITeacher teacher = TinyRun.Teacher();
        Assert.That(() => TinyRun.Losses(new Hint(), new Hint { Norm = HintNorm.L1 }).For(student, teacher),
            Throws.ArgumentException.With.Message.Contains("Hint twice"));
    }

    [Test]
    public void ALossThatWouldHaveNoTerm_IsRefused()
    {
        using OneStageDetector student = OneStageRun.Detector();
        using ITeacher teacher = TinyRun.Teacher();
        Assert.That(() => TinyRun.Losses(new SoftClasses { LearningParts = TwoStageParts.Rpn }).For(student, teacher),
            Throws.ArgumentException.With.Message.Contains("the RPN's alone"));
    }

    [Test]
    public void AnEmptyListOfHints_IsRefused()
    {
        using FasterRcnn student = TinyRun.Detector();
        using ITeacher teacher = TinyRun.Teacher();
        LossSelection selection = new([new Hint()]) { Hints = [] };
        Assert.That(() => new DistillationTerms(selection, student, teacher, CPU),
            Throws.ArgumentException.With.Message.Contains("names no pair"));
    }
}
