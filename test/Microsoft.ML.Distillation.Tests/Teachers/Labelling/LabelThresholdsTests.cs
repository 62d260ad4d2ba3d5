namespace Microsoft.ML.Distillation.Tests.Teachers.Labelling;

public class LabelThresholdsTests
{
    private static readonly string[] Classes = ["cat", "dog"];

    [Test]
    public void FewerDetectionsThanTheRuleAsksFor_AreSaid_AndAllBecomeLabels()
    {
        LabelThresholds overall = Choose(new GeneratedLabelOptions(), cats: 5, dogs: 1.25);
        Assert.That(overall.Shortage, Does.Contain("5 (1.25 an image), where 25 (6.25 an image) are wanted"));
        Assert.That(overall.Scores, Has.All.Zero);

        LabelThresholds perClass = Choose(new GeneratedLabelOptions { PerClass = true }, cats: 1, dogs: 2);
        Assert.That(perClass.Shortage, Does.Contain("of dog 1 (0.25 an image), where 8 (2 an image) are wanted").And.Not.Contain("cat"));
        Assert.That(perClass.Scores, Is.EqualTo(new[] { 0.25f, 0 }));
        Assert.That(Choose(new GeneratedLabelOptions { PerClass = true }, cats: 2, dogs: 2).Shortage,
            Does.Contain("of cat").And.Contain("of dog"));
    }

    [Test]
    public void JustEnough_OrAScoreThatIsGiven_IsNoShortage()
    {
        LabelThresholds enough = Choose(new GeneratedLabelOptions(), cats: 0, dogs: 1.25);
        Assert.That((enough.Shortage, enough.Scores[0]), Is.EqualTo(((string?)null, 0.125f)));
        Assert.That(Choose(new GeneratedLabelOptions { ScoreThreshold = 0.5 }, cats: 9, dogs: 9).Shortage, Is.Null);
        Assert.That(Choose(new GeneratedLabelOptions { PerClass = true }, cats: 1, dogs: 0).Shortage, Is.Null, "nobody asked for dogs");
    }

    /// <summary>In four images there are four cats and a dog; the numbers wanted are those in an image.</summary>
    private static LabelThresholds Choose(GeneratedLabelOptions options, double cats, double dogs)
    {
        var found = new ScoreHistogram(2);
        foreach (float score in new[] { 0.875f, 0.75f, 0.5f, 0.25f }) found.Add(0, score);
        found.Add(1, 0.125f);
        return LabelThresholds.Choose(found, options, Classes, [cats, dogs], images: 4);
    }
}
