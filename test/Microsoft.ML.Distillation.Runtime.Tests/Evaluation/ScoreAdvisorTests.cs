using Microsoft.ML.Distillation.Evaluation;

namespace Microsoft.ML.Distillation.Tests.Evaluation;

/// <summary>From which score on detections are best taken for objects.</summary>
public class ScoreAdvisorTests
{
    private static readonly Box Here = new(0, 0, 10, 10), There = new(50, 50, 60, 60), Nowhere = new(90, 0, 99, 9);

    [Test]
    public void TheBestScore_HasTheHighestF1_AndSaysItInCounts()
    {
        var image = new EvaluationImage(
            [new TrueBox(Here, 0), new TrueBox(There, 1)],
            [new DetectedBox(Here, 0, .9f), new DetectedBox(There, 1, .6f), new DetectedBox(Nowhere, 0, .4f),
                new DetectedBox(Nowhere, 1, .3f)]);
        (ScoreAdvice all, ScoreAdvice[] classes) = ScoreAdvisor.Of([image], 2);
        Assert.That((all.Objects, all.Best), Is.EqualTo((2, new ScorePoint(.6f, 2, 0, 0))));
        Assert.That(classes[0].Best, Is.EqualTo(new ScorePoint(.9f, 1, 0, 0)));
        ScorePoint low = all.Points[9], high = all.Points[69];
        Assert.That((low.Score, low.Found, low.FalseAlarms, low.Missed), Is.EqualTo((.1, 2, 2, 0)));
        Assert.That((high.Score, high.Found, high.FalseAlarms, high.Missed), Is.EqualTo((.7, 1, 0, 1)));
        Assert.That((low.Precision, low.Recall, low.F1), Is.EqualTo((.5, 1.0, 2.0 / 3)));
    }

    [Test]
    public void DetectionsOfOneScore_AreTakenTogether()
    {
        var image = new EvaluationImage([new TrueBox(Here, 0)], [new DetectedBox(Here, 0, .5f), new DetectedBox(Nowhere, 0, .5f)]);
        Assert.That(ScoreAdvisor.Of([image], 1).Overall.Best, Is.EqualTo(new ScorePoint(.5f, 1, 1, 0)));
    }

    [Test]
    public void WithoutObjects_OrAnyFound_ThereIsNoScore()
    {
        var nothing = new EvaluationImage([], [new DetectedBox(Here, 0, .5f)]);
        var wrong = new EvaluationImage([new TrueBox(There, 0)], [new DetectedBox(Here, 0, .5f)]);
        Assert.That(ScoreAdvisor.Of([nothing], 1).Overall, Is.SameAs(ScoreAdvice.None));
        ScoreAdvice advice = ScoreAdvisor.Of([wrong], 1).Overall;
        Assert.That((advice.Best.Score, advice.Best.Missed), Is.EqualTo((double.NaN, 1)));
    }

    [Test]
    public void WhatMayBeFound_ButNeedNot_IsNeitherRightNorWrong()
    {
        var image = new EvaluationImage(
            [new TrueBox(Here, 0) { Difficult = true }, new TrueBox(There, 0)],
            [new DetectedBox(Here, 0, .9f), new DetectedBox(There, 0, .8f)]);
        Assert.That(ScoreAdvisor.Of([image], 1).Overall.Best, Is.EqualTo(new ScorePoint(.8f, 1, 0, 0)));
    }
}
