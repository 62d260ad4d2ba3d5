using Microsoft.ML.Distillation.Training;
using static TorchSharp.torch;

namespace Microsoft.ML.Distillation.Tests.Training;

public class KnownSharesTests
{
    [Test]
    public void WhatTheTeacherKnows_IsSaidOnce_BySize()
    {
        using var scope = NewDisposeScope();
        var said = new List<string>();
        var shares = new KnownShares();
        Add();
        Assert.That(shares.IsCounting, Is.False, "nobody wants to know");
        shares.Tell(said.Add);
        for (int step = 0; step < 30; step++)
        {
            Add();
            shares.EndBatch(4);
        }

        Assert.That(said, Is.EqualTo(new[]
        {
            "Of the anchors on objects the teacher has an opinion on 75 % (objects below 16 pixels 50 %, of 16 to 32 100 %, "
            + "of 64 and more 100 %), and takes 33 % of these for background",
        }));

        // Sides of 10, 10, 20 and 80 pixels; the second is not known, and the last is called background.
        void Add() => shares.Add("anchors",
            tensor(new float[] { 0, 0, 10, 10, 5, 5, 15, 15, 0, 0, 40, 10, 10, 10, 90, 90 }, [4, 4]),
            tensor(new[] { true, false, true, true }), tensor(new[] { .9f, .1f, .6f, .2f }));
    }

    [Test]
    public void ATeacherOfDistillation_IsAskedAboutIt()
    {
        using var data = new DrawnDataset(12);
        var said = new List<string>();
        using var student = TinyRun.Detector();
        using var teacher = TinyRun.Teacher();
        using var objective = new TwoStageObjective(student, 0, null, teacher, CPU);
        objective.Tell(said.Add);
        new TrainingLoop([(objective, TinyRun.Options(10))], teacher, data, null, CPU).Run();
        Assert.That(said, Has.Count.EqualTo(2).And.Some.StartsWith("Of the anchors on objects").And.Some.StartsWith(
            "Of the proposals on objects the teacher has an opinion on 100 %"), "a Faster R-CNN is shown the proposals themselves");
    }
}
