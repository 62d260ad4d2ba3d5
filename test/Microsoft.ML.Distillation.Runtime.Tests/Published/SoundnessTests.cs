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

        using PublishedDetector detector = graph.Load(OnnxDetectorFormat.YoloEndToEnd, 2);
        Show(detector, images: 7);
        Assert.That(detector.Remarks.All.Single(), Does.Contain("2 with the centre outside"), "whoever shows it no more is told");
        Assert.That(() => Show(detector), Throws.TypeOf<FormatException>()
            .With.Message.Contains("read as YoloEndToEnd").And.Message.Contains("16 with the centre outside")
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
        for (int image = 0; image < 4; image++) other.Run(white, size);
        Assert.That(() => other.Run(white, size), Throws.TypeOf<FormatException>().With.Message.Contains("8 confident boxes in 8 images"));
    }

    [Test]
    public void OneStrangeBox_InOneImage_DoesNotEndAnything()
    {
        using var graph = new TeacherGraph(batch: "N");
        graph.Output("output0", [8, 8, 16, 16, .7f, 1], [1, 6], perBrightness: [100, 100, 100, 100, 0, 0]);
        using PublishedDetector detector = graph.Load(OnnxDetectorFormat.YoloEndToEnd, 2);
        detector.Run([.. Enumerable.Repeat(1f, 3 * 64 * 64)], [new ImageSize(64, 64)]);
        for (int image = 0; image < 20; image++) detector.Run(new float[3 * 64 * 64], [new ImageSize(64, 64)]);
        Assert.That(detector.Remarks.All.Single(), Does.Contain("of its 1 confident boxes in 1 image gives 1"));
    }

    /// <summary>Shares that are read as pixels lie in the first pixel: in a picture of the input's proportions that looks sound.</summary>
    [TestCase(OnnxDetectorFormat.YoloEndToEnd, true)]
    [TestCase(OnnxDetectorFormat.YoloV8, false)]
    public void SharesReadAsPixels_AreAnError_ThatAsks(OnnxDetectorFormat format, bool rows)
    {
        using var graph = new TeacherGraph();
        var values = new float[6 * Cells];
        float[] column = [.4f, .5f, .2f, .3f, .7f, .1f];
        for (int k = 0; k < 6; k++) values[k * Cells + 7] = column[k];
        if (rows) graph.Output("output0", [.1f, .2f, .5f, .6f, .7f, 1], [1, 6]);
        else graph.Output("output0", values, [6, Cells]);

        Assert.That(() => graph.Predict(format, 2), Throws.TypeOf<FormatException>()
            .With.Message.Contains("1 confident box in 1 image, all within the first two pixels").And.Message.Contains("shares?"));
    }

    [Test]
    public void ASmallBoxInTheCorner_AmongOthers_IsSound()
    {
        using TeacherGraph graph = Rows([0, 0, 2, 2, .7f, 1], [8, 8, 16, 16, .9f, 0]);
        Assert.That(graph.Predict(OnnxDetectorFormat.YoloEndToEnd, 2).Count, Is.EqualTo(2));
    }

    /// <summary>A label that comes before the first class is read wrongly, however many others are right.</summary>
    [Test]
    public void LabelBeforeTheFirstClass_IsAnError_InEveryFormatWithLabels()
    {
        using TeacherGraph own = Rows([.9f, 1, 8, 8, 40, 40], [.8f, 3, 8, 8, 30, 30]);
        var options = new OnnxDetectorOptions
        {
            Layout = new() { Score = new(0), Label = new(1), Boxes = new(2), FirstLabel = 3 },
        };
        Assert.That(() => own.Predict(OnnxDetectorFormat.Auto, 2, options), Throws.TypeOf<FormatException>()
            .With.Message.Contains("gives the label 1 (score 0.9), and the first class is read as label 3")
            .And.Message.Contains("option FirstLabel"));
        using var torchvision = new TeacherGraph();
        torchvision.Rows("boxes", [8, 8, 40, 40], 1, 4).Integers("labels", 0).Rows("scores", [.9f], 1);
        Assert.That(() => torchvision.Predict(OnnxDetectorFormat.Torchvision, 2),
            Throws.TypeOf<FormatException>().With.Message.Contains("label 0").And.Message.Contains("label 1"));
        options = new OnnxDetectorOptions { FirstLabel = 0 };
        Assert.That(torchvision.Predict(OnnxDetectorFormat.Torchvision, 2, options).Count, Is.EqualTo(1));
    }

    /// <summary>A detector may know more classes than are named; that it does is said, and if most rows are such, it is misread.</summary>
    [Test]
    public void LabelsWithoutAName_AreSaidOnce_AndMostOfThemAreAnError()
    {
        using TeacherGraph some = Rows([8, 8, 40, 40, .9f, 1], [8, 8, 30, 30, .8f, 5], [8, 8, 30, 30, .2f, 7]);
        using PublishedDetector detector = some.Load(OnnxDetectorFormat.YoloEndToEnd, 2);
        Show(detector, images: 10);
        Assert.That(detector.Remarks.All.Single(),
            Does.Contain("the label 5 (0.8)").And.Contain("2 class names").And.Contain("FirstLabel"));

        using TeacherGraph most = Rows([8, 8, 40, 40, .9f, 1], [8, 8, 30, 30, .8f, 5], [8, 8, 30, 30, .7f, 7]);
        using PublishedDetector other = most.Load(OnnxDetectorFormat.YoloEndToEnd, 2);
        Show(other, images: 7);
        Assert.That(() => Show(other), Throws.TypeOf<FormatException>()
            .With.Message.Contains("16 confident rows in 8 images whose labels have no class name, and 8 that have one"));
    }

    [Test]
    public void WhatIsFoundOut_ReachesTheUserOfADetector()
    {
        using TeacherGraph graph = Rows([8, 8, 40, 40, .9f, 1], [8, 8, 30, 30, .8f, 5]);
        using ObjectDetector detector = ObjectDetector.Load(graph.Save(), new ObjectDetectorOptions
        {
            Format = OnnxDetectorFormat.YoloEndToEnd,
            ClassNames = TeacherGraph.Names(2),
        });
        Assert.That(detector.Remarks, Is.Empty);
        detector.Detect(new byte[3 * 64 * 64], 64, 64);
        Assert.That(detector.Remarks.Single(), Does.Contain("the label 5"));
    }

    private static void Show(PublishedDetector detector, int images = 1)
    {
        for (int image = 0; image < images; image++) detector.Run(new float[3 * 64 * 64], [new ImageSize(64, 64)]);
    }

    private static TeacherGraph Rows(params float[][] rows)
        => new TeacherGraph().Output("output0", [.. rows.SelectMany(row => row)], [rows.Length, 6]);
}
