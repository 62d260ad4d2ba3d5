namespace Microsoft.ML.Distillation.Tests.Published;

/// <summary>The published detectors of users' reports: each finds two objects on the scene, or is refused by what it is.</summary>
public class ReportedTeacherTests
{
    private static readonly float[] First = [6, 6, 30, 30];
    private static readonly float[] Second = [40, 20, 60, 50];

    [TestCase("rfdetr-3", "three.txt", OnnxDetectorFormat.RfDetr)]
    [TestCase("rfdetr-3", "three-and-none.txt", OnnxDetectorFormat.RfDetr)]
    [TestCase("yolonas-flat", "two.txt", OnnxDetectorFormat.YoloNas)]
    [TestCase("yolonas-raw", "two.txt", OnnxDetectorFormat.YoloNas)]
    [TestCase("mmdeploy", "two.txt", OnnxDetectorFormat.MMDeploy)]
    [TestCase("ppyoloe", "two.txt", OnnxDetectorFormat.Paddle)]
    [TestCase("tf2-zoo", "two.txt", OnnxDetectorFormat.TensorFlow)]
    public void FindsBothObjects(string model, string classes, OnnxDetectorFormat format)
    {
        using ObjectDetector detector = Load(model, classes);
        IReadOnlyList<Detection> found = Confident(detector);

        Assert.That(detector.Reading!.Format, Is.EqualTo(format));
        Assert.That(found.Select(one => one.Label), Is.EqualTo(new[] { "square", "disc" }));
        if (model is "rfdetr-3" or "tf2-zoo") return;
        Assert.That(Corners(found[0]), Is.EqualTo(First).AsCollection.Within(1e-3f));
        Assert.That(Corners(found[1]), Is.EqualTo(Second).AsCollection.Within(1e-3f));
    }

    /// <summary>Its mask of what is image is filled with ones; one of its queries sees something.</summary>
    [Test]
    public void PixelMask_IsAllImage()
    {
        using ObjectDetector detector = Load("hf-detr-mask", "two.txt");

        Assert.That(Confident(detector).Select(one => one.Label), Is.EqualTo(new[] { "square" }));
        Assert.That(detector.Reading!.Format, Is.EqualTo(OnnxDetectorFormat.Detr));
        Assert.That(detector.Reading.Preprocessing.Mean[0], Is.EqualTo(0.485f));
    }

    /// <summary>Whoever knows one class alone sees one object.</summary>
    [TestCase("yolonas-flat")]
    [TestCase("mmdeploy")]
    [TestCase("ppyoloe")]
    [TestCase("tf2-zoo")]
    public void FindsTheObjectThatHasAName(string model)
    {
        using ObjectDetector detector = Load(model, "one.txt");

        Assert.That(Confident(detector).Select(one => one.Label), Is.EqualTo(new[] { "square" }));
    }

    /// <summary>It finds nothing in any picture: it is known by its names, and its rows of -1 are no detections.</summary>
    [Test]
    public void AnEmptyAnswer_DecidesNothing()
    {
        using ObjectDetector detector = Load("sg-batch-nothing-on-grey", "two.txt");

        Assert.That(detector.Reading!.Format, Is.EqualTo(OnnxDetectorFormat.YoloNas));
        Assert.That(detector.Detect(TestData.Case("onnx-teachers/scene.png")), Is.Empty);
    }

    [TestCase("obb-e2e", "two.txt")]
    [TestCase("obb-e2e", "three.txt")]
    [TestCase("obb-e2e-3classes", "three.txt")]
    [TestCase("obb-e2e-3classes", null)]
    public void OrientedBoxes_AreRefused_AsWhatTheyAre(string model, string? classes)
        => Assert.That(() => Load(model, classes), Throws.TypeOf<FormatException>()
            .With.Message.Contains("oriented").And.Message.Contains("task: obb").And.Message.Contains("Layout"));

    [TestCase("yolonas-raw", "three.txt")]
    [TestCase("rfdetr-3", "one.txt")]
    public void WrongNumberOfClasses_IsAnError(string model, string classes)
        => Assert.That(() => Load(model, classes), Throws.TypeOf<FormatException>().With.Message.Contains("C = "));

    [Test]
    public void Inspection_GuessesTheFormat_WithoutClasses(
        [Values("rfdetr-3", "yolonas-flat", "yolonas-raw", "mmdeploy", "ppyoloe", "tf2-zoo", "sg-batch-nothing-on-grey")] string model)
    {
        IReadOnlyList<OnnxFormatGuess> guesses = OnnxModelInspection.Of(TestData.Case($"onnx-teachers/{model}.onnx")).GuessFormats();
        OnnxDetectorFormat expected = model switch
        {
            "rfdetr-3" => OnnxDetectorFormat.RfDetr,
            "mmdeploy" => OnnxDetectorFormat.MMDeploy,
            "ppyoloe" => OnnxDetectorFormat.Paddle,
            "tf2-zoo" => OnnxDetectorFormat.TensorFlow,
            _ => OnnxDetectorFormat.YoloNas,
        };

        Assert.That(guesses.Select(guess => guess.Format), Is.EqualTo(new[] { expected }));
    }

    private static ObjectDetector Load(string model, string? classes) => ObjectDetector.Load(
        TestData.Case($"onnx-teachers/{model}.onnx"), new ObjectDetectorOptions
        {
            ClassNames = classes is null ? null : File.ReadAllLines(TestData.Case($"onnx-teachers/{classes}")),
            InputWidth = model is "mmdeploy" or "hf-detr-mask" or "tf2-zoo" ? 64 : null,
            InputHeight = model is "mmdeploy" or "hf-detr-mask" or "tf2-zoo" ? 64 : null,
        });

    private static List<Detection> Confident(ObjectDetector detector) => [.. detector.Detect(TestData.Case("onnx-teachers/scene.png"))
        .Where(one => one.Score >= detector.Reading!.ConfidentScore)];

    private static float[] Corners(Detection one) => [(float)one.Box.X0, (float)one.Box.Y0, (float)one.Box.X1, (float)one.Box.Y1];
}
