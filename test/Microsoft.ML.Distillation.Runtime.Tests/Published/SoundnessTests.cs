using Microsoft.ML.Distillation.Images;
using Microsoft.ML.Distillation.Published;

namespace Microsoft.ML.Distillation.Tests.Published;

/// <summary>What is read from a detector's outputs is looked at: what cannot be is an error, and not a worse student.</summary>
public class SoundnessTests
{
    private const int Cells = 84;

    [TestCase(100, 100, 120, 120, TestName = "A centre outside the image")]
    [TestCase(-200, 10, 220, 30, TestName = "A side over twice the image's")]
    [TestCase(40, 40, 20, 20, TestName = "Corners the wrong way round")]
    public void BoxesThatCannotBe_AreAnError_ThatShowsTheFirst(float x0, float y0, float x1, float y1)
    {
        using TeacherGraph graph = Rows([x0, y0, x1, y1, .7f, 1], [x0, y0, x1, y1, .6f, 0], [8, 8, 16, 16, .9f, 0]);

        Assert.That(() => graph.Predict(OnnxDetectorFormat.YoloEndToEnd, 2), Throws.TypeOf<FormatException>()
            .With.Message.Contains("read as YoloEndToEnd").And.Message.Contains("2 with the centre outside")
            .And.Message.Contains($"x0 {x0}, y0 {y0}, x1 {x1}, y1 {y1}").And.Message.Contains("'class1' 0.7")
            .And.Message.Contains("'output0' [3, 6]").And.Message.Contains("option Layout"));
    }

    [Test]
    public void BoxesThatOverhangTheBorder_AreSound_AndHalfOfThemMayBeWrong()
    {
        using TeacherGraph overhanging = Rows([-30, -30, 70, 80, .7f, 1]);
        using TeacherGraph half = Rows([100, 100, 120, 120, .7f, 1], [8, 8, 16, 16, .9f, 0]);
        // What it is not sure of does not count.
        using TeacherGraph unsure = Rows([100, 100, 120, 120, .2f, 1]);

        Assert.That(overhanging.Predict(OnnxDetectorFormat.YoloEndToEnd, 2).Count, Is.EqualTo(1));
        Assert.That(half.Predict(OnnxDetectorFormat.YoloEndToEnd, 2).Count, Is.EqualTo(1));
        Assert.That(unsure.Predict(OnnxDetectorFormat.YoloEndToEnd, 2).Count, Is.Zero);
    }

    [TestCase(4.2f, 1.5f)]
    [TestCase(float.NaN, .5f)]
    [TestCase(-3f, -2f)]
    public void ScoresThatAreNone_AreAnError(float first, float second)
    {
        using var graph = new TeacherGraph();
        var values = new float[6 * Cells];
        float[] column = [24, 36, 32, 16, first, second];
        for (int k = 0; k < 6; k++) values[k * Cells + 7] = column[k];
        graph.Output("output0", values, [6, Cells]);

        Assert.That(() => graph.Predict(OnnxDetectorFormat.YoloV8, 2), Throws.TypeOf<FormatException>()
            .With.Message.Contains("scores outside 0 to 1").And.Message.Contains("option Activation"));
    }

    /// <summary>After eight images it is known to be read rightly, or was an error.</summary>
    [Test]
    public void TheFirstEightImages_Tell()
    {
        using var graph = new TeacherGraph(batch: "N");
        // Boxes wander out of bright images.
        graph.Output("output0", [8, 8, 16, 16, .7f, 1], [1, 6], perBrightness: [100, 100, 100, 100, 0, 0]);
        using PublishedDetector detector = graph.Load(OnnxDetectorFormat.YoloEndToEnd, 2);
        float[] white = [.. Enumerable.Repeat(1f, 3 * 64 * 64)];
        ImageSize[] size = [new ImageSize(64, 64)];

        for (int image = 0; image < 8; image++) detector.Run(new float[3 * 64 * 64], size);
        Assert.That(() => detector.Run(white, size), Throws.Nothing);
        using PublishedDetector other = graph.Load(OnnxDetectorFormat.YoloEndToEnd, 2);
        for (int image = 0; image < 3; image++) other.Run(new float[3 * 64 * 64], size);
        for (int image = 0; image < 3; image++) other.Run(white, size);
        Assert.That(() => other.Run(white, size), Throws.TypeOf<FormatException>().With.Message.Contains("7 confident boxes in 7 images"));
    }

    private static TeacherGraph Rows(params float[][] rows)
        => new TeacherGraph().Output("output0", [.. rows.SelectMany(row => row)], [rows.Length, 6]);
}
