using Microsoft.ML.Distillation.Teachers.Dense;

namespace Microsoft.ML.Distillation.Tests.Teachers.Onnx;

public class OverlapRuleTests
{
    private static readonly OverlapRule Rule = new(ConfidentScore: 0.3, MatchOverlap: 0.5, ForeignOverlap: 0.3);

    [Test]
    public void ConfidentBoxes_GetTheirOwnAnswers_HoweverManyLieAround()
    {
        var random = new Random(3);
        StudentPredictions crowd = Crowd(random, 300);
        int[] answers = Rule.Answers(crowd.Boxes, crowd);

        int[] confident = [.. Enumerable.Range(0, crowd.Count).Where(i => crowd.Confidences[i] >= 0.3)];
        Assert.That(confident, Has.Length.GreaterThan(100));
        Assert.That(confident.Select(i => answers[i]), Is.EqualTo(confident));
    }

    [Test]
    public void Noise_IsNeverAnAnswer()
    {
        StudentPredictions crowd = Crowd(new Random(4), 300);
        int[] answers = Rule.Answers(crowd.Boxes, crowd);

        Assert.That(answers.Where(answer => answer >= 0).Select(answer => crowd.Confidences[answer]), Is.All.GreaterThanOrEqualTo(0.3));
    }

    // The prediction is 0.2 to 0.6 in both directions; a box shifted by a share s of its width overlaps it by (1 - s) / (1 + s).
    [TestCase(0.9f, 0f, 0)]
    [TestCase(0.9f, 0.33f, 0)]
    [TestCase(0.9f, 0.34f, OverlapRule.NoOpinion)]
    [TestCase(0.9f, 0.53f, OverlapRule.NoOpinion)]
    [TestCase(0.9f, 0.55f, OverlapRule.Background)]
    [TestCase(0.29f, 0f, OverlapRule.NoOpinion)]
    [TestCase(0.29f, 0.55f, OverlapRule.Background)]
    public void OnePrediction_AnswersByOverlapAndConfidence(float confidence, float shift, int answer)
    {
        var one = new StudentPredictions([.2f, .2f, .6f, .6f], [.1f, .9f], [confidence]);
        float x = .2f + .4f * shift;

        Assert.That(Rule.Answers([x, .2f, x + .4f, .6f], one), Is.EqualTo(new[] { answer }));
    }

    [Test]
    public void NoPredictions_MeanBackground()
        => Assert.That(Rule.Answers([0, 0, 1, 1], new StudentPredictions([], [], [])), Is.EqualTo(new[] { OverlapRule.Background }));

    [Test]
    public void EqualBoxes_AreAnsweredByTheMoreConfident()
    {
        float[] box = [.2f, .2f, .6f, .6f];
        var two = new StudentPredictions([.. box, .. box, .. box], [0, 1, 0, 1, 0, 1], [.5f, .8f, .6f]);

        Assert.That(Rule.Answers(box, two), Is.EqualTo(new[] { 1 }));
    }

    [Test]
    public void BestAnchor_IsAnswered_EvenWhereItOverlapsLessThanHalf()
    {
        var one = new StudentPredictions([.4f, .4f, .6f, .6f], [.1f, .9f], [.9f]);
        // Overlaps .4444, .25 and .1111.
        float[] anchors = [.35f, .35f, .65f, .65f, .3f, .3f, .7f, .7f, .2f, .2f, .8f, .8f];

        Assert.That(Rule.Answers(anchors, one, bestAnchors: true), Is.EqualTo(new[] { 0, OverlapRule.Background, OverlapRule.Background }));
        Assert.That(Rule.Answers(anchors, one)[0], Is.EqualTo(OverlapRule.NoOpinion));
    }

    private static StudentPredictions Crowd(Random random, int count)
    {
        float[] boxes = [.. Enumerable.Range(0, count).SelectMany(_ =>
        {
            float x = .5f * random.NextSingle(), y = .5f * random.NextSingle();
            return new[] { x, y, x + .05f + .3f * random.NextSingle(), y + .05f + .3f * random.NextSingle() };
        })];
        float[] confidences = [.. Enumerable.Range(0, count).Select(_ => random.NextSingle())];
        return new StudentPredictions(boxes, [.. confidences.SelectMany(c => new[] { 1 - c, c })], confidences);
    }
}
