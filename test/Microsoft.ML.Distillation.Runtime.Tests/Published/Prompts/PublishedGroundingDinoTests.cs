namespace Microsoft.ML.Distillation.Tests;

/// <summary>The published grounding-dino-tiny, where there is one: 50 to 900 megabytes that no test can bring along.</summary>
[Explicit("Needs the published file, which DISTILLATION_GROUNDING_DINO names, and DISTILLATION_COCO_IMAGE, COCO's 000000039769.jpg.")]
public class PublishedGroundingDinoTests
{
    /// <summary>The figures that transformers.js #1137 reports for "a cat." from a score of 0.3.</summary>
    [Test]
    public void TwoCats_AreWhereOthersFindThem()
    {
        string model = Named("DISTILLATION_GROUNDING_DINO"), image = Named("DISTILLATION_COCO_IMAGE");
        using ObjectDetector detector = ObjectDetector.Load(model, new ObjectDetectorOptions
        {
            Prompts = DetectorPrompts.Parse("a cat"),
            ScoreThreshold = 0.3,
        });
        IReadOnlyList<Detection> found = detector.Detect(image);
        Assert.That(found, Has.Count.EqualTo(2), string.Join("; ", found));
        Sits(found[0], 0.453f, 343, 23, 637, 372);
        Sits(found[1], 0.362f, 12, 52, 317, 472);
    }

    private static void Sits(Detection found, float score, float x0, float y0, float x1, float y1)
    {
        Assert.That(found.Score, Is.EqualTo(score).Within(0.05), $"{found}");
        float[] expected = [x0, y0, x1, y1], sides = [found.Box.X0, found.Box.Y0, found.Box.X1, found.Box.Y1];
        for (int side = 0; side < 4; side++) Assert.That(sides[side], Is.EqualTo(expected[side]).Within(10), $"{found}");
    }

    private static string Named(string variable)
    {
        string? path = Environment.GetEnvironmentVariable(variable);
        if (path is null) Assert.Ignore($"{variable} is not set.");
        return path;
    }
}
