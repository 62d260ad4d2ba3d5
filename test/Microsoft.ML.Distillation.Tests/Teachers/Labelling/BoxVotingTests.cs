using Microsoft.ML.Distillation.Rows;
using Microsoft.ML.Distillation.Teachers.Labelling;

namespace Microsoft.ML.Distillation.Tests.Teachers.Labelling;

public class BoxVotingTests
{
    [Test]
    public void Survivor_IsTheScoreWeightedMean_OfTheBoxesThatOverlapIt()
    {
        // IoU with the first: the second 0.9 (votes), the third 0.6 (is suppressed and has no say), the last is of another class.
        Detections merged = BoxVoting.Merge(
            [
                new Detections([0, 0, 0.5f, 0.5f, 0, 0, 0.5f, 0.3f], [0.8f, 0.9f], [0, 1]),
                new Detections([0, 0, 0.5f, 0.45f, 0, 0, 0.3f, 0.5f], [0.4f, 0.2f], [0, 0]),
            ], suppression: 0.5f, voting: 0.8f);
        Assert.That(merged.Labels, Is.EqualTo(new[] { 1, 0 }));
        Assert.That(merged.Scores, Is.EqualTo(new[] { 0.9f, 0.8f }), "the scores stay");
        Assert.That(merged.Boxes[4..], Is.EqualTo(new[] { 0, 0, 0.5f, (0.8f * 0.5f + 0.4f * 0.45f) / 1.2f }).AsCollection.Within(1e-6f));
        Assert.That(merged.Boxes[..4], Is.EqualTo(new[] { 0, 0, 0.5f, 0.3f }));
    }

    [Test]
    public void OneAnswerAlone_StaysAsItIs()
    {
        var alone = new Detections([0.1f, 0.1f, 0.4f, 0.4f, 0.5f, 0.5f, 0.9f, 0.9f], [0.9f, 0.3f], [0, 0]);
        Detections merged = BoxVoting.Merge([alone, new Detections([], [], [])], 0.5f, 0.8f);
        Assert.That(merged.Boxes, Is.EqualTo(alone.Boxes).AsCollection.Within(1e-7f));
        Assert.That(merged.Scores, Is.EqualTo(alone.Scores));
        Assert.That(BoxVoting.Merge([], 0.5f, 0.8f).Count, Is.Zero);
    }
}
