using Microsoft.ML.Data;
using Microsoft.ML.Distillation.Formats;
using Microsoft.ML.Distillation.Images;
using Microsoft.ML.Distillation.Model;
using Microsoft.ML.Distillation.Onnx;
using Microsoft.ML.Distillation.Onnx.Proto;
using Microsoft.ML.Distillation.Published;
using Microsoft.ML.Distillation.Rows;

namespace Microsoft.ML.Distillation.Tests.Model;

public class ObjectDetectorTests
{
    private static readonly (int, int, string)[] Cells = [(1, 2, "red"), (3, 0, "green")];

    // 40 × 20 pixels in a grid of 4 × 4 cells: a cell is 10 × 5.
    private static readonly BoundingBox Red = new(10, 10, 20, 15), Green = new(30, 0, 40, 5);

    private TemporaryFolder _folder = null!;

    [SetUp]
    public void MakeFolder() => _folder = new TemporaryFolder();

    [TearDown]
    public void DeleteFolder() => _folder.Dispose();

    [Test]
    public void EveryOverload_FindsTheSame()
    {
        using ObjectDetector detector = ObjectDetector.Load(Onnx());
        using MLImage image = ToyDetector.Image(40, 20, Cells);
        string path = Save("image.png", image);
        RgbImage rgb = MLImagePixels.ToRgb(image);

        IReadOnlyList<Detection> found = detector.Detect(image);

        Assert.That(found.Select(one => (one.Label, one.Box)), Is.EqualTo(new[] { ("red", Red), ("green", Green) }));
        Assert.That(found.Select(one => one.Score), Is.All.InRange(.6, 1));
        Assert.That(detector.Detect(path), Is.EqualTo(found));
        Assert.That(detector.Detect(rgb.Pixels, rgb.Width, rgb.Height), Is.EqualTo(found));
        Assert.That(detector.Detect([path, path]), Is.EqualTo(new[] { found, found }));
        Assert.That(detector.Detect([image, image]), Is.EqualTo(new[] { found, found }));
    }

    [Test]
    public async Task AsynchronousOverloads_FindTheSame()
    {
        using ObjectDetector detector = ObjectDetector.Load(Onnx());
        using MLImage image = ToyDetector.Image(40, 20, Cells);
        string path = Save("image.png", image);
        RgbImage rgb = MLImagePixels.ToRgb(image);
        IReadOnlyList<Detection> found = detector.Detect(image);

        Assert.That(await detector.DetectAsync(path), Is.EqualTo(found));
        Assert.That(await detector.DetectAsync(image), Is.EqualTo(found));
        Assert.That(await detector.DetectAsync(rgb.Pixels, rgb.Width, rgb.Height), Is.EqualTo(found));
        Assert.That(await detector.DetectAsync([path, path]), Is.EqualTo(new[] { found, found }));
        Assert.That(await detector.DetectAsync([image, image]), Is.EqualTo(new[] { found, found }));
    }

    [Test]
    public void ZipOnnxPlainFormAndStreams_FindTheSame()
    {
        string onnx = Onnx(), zip = Zip(), plain = _folder.Sub("plain.onnx");
        File.WriteAllBytes(plain, PlainForm.Of(ToyDetector.Model()).ToBytes());
        using MLImage image = ToyDetector.Image(37, 23, Cells);
        using ObjectDetector detector = ObjectDetector.Load(onnx);
        IReadOnlyList<Detection> expected = detector.Detect(image);
        Assert.That(expected, Has.Count.EqualTo(2));
        Assert.That((detector.InputWidth, detector.InputHeight, detector.Fallback), Is.EqualTo((16, 16, default(string))));
        Assert.That(detector.ClassNames, Is.EqualTo(ToyDetector.ClassNames));

        foreach (string path in (string[])[zip, plain, onnx])
        {
            using ObjectDetector fromFile = ObjectDetector.Load(path);
            using ObjectDetector fromStream = Load(new MemoryStream(File.ReadAllBytes(path)));
            foreach (ObjectDetector other in (ObjectDetector[])[fromFile, fromStream])
            {
                IReadOnlyList<Detection> found = other.Detect(image);
                Assert.That(found.Select(one => one.Label), Is.EqualTo(expected.Select(one => one.Label)), path);
                Assert.That(Numbers(found), Is.EqualTo(Numbers(expected)).Within(1e-4), path);
                Assert.That((other.InputWidth, other.InputHeight), Is.EqualTo((16, 16)), path);
            }
        }
    }

    [Test]
    public void ImageWithoutObjects_GivesAnEmptyList()
    {
        using ObjectDetector detector = ObjectDetector.Load(Onnx());
        Assert.That(detector.Detect(new byte[3 * 8 * 8], 8, 8), Is.Empty);
        Assert.That(detector.Detect((IReadOnlyList<string>)[]), Is.Empty);
    }

    [Test]
    public void ScoreThreshold_LeavesOutWeakerDetections()
    {
        RgbImage dim = DrawnImages.Plain(16, 16, 140, 200, 0);
        using ObjectDetector all = ObjectDetector.Load(Onnx()), sure = ObjectDetector
            .Load(Onnx(), new ObjectDetectorOptions { ScoreThreshold = .6 });

        Assert.That(all.Detect(dim.Pixels, 16, 16).Select(one => one.Label), Has.Member("red").And.Member("green"));
        Assert.That(sure.Detect(dim.Pixels, 16, 16).Select(one => one.Label).Distinct(), Is.EqualTo(new[] { "green" }));
    }

    [Test]
    public void OneInstance_ServesManyThreads()
    {
        using ObjectDetector detector = ObjectDetector.Load(Onnx(), new ObjectDetectorOptions { Threads = 1 });
        RgbImage[] images = [.. Enumerable.Range(0, 16).Select(i =>
        {
            using MLImage image = ToyDetector.Image(20 + i, 30 - i, (i % 4, i / 4, i % 2 == 0 ? "red" : "green"));
            return MLImagePixels.ToRgb(image);
        })];
        IReadOnlyList<Detection>[] expected = [.. images.Select(image => detector.Detect(image.Pixels, image.Width, image.Height))];
        Assert.That(expected.Select(found => found.Count), Is.All.EqualTo(1));

        Parallel.For(0, 200, new ParallelOptions { MaxDegreeOfParallelism = 8 }, i =>
        {
            RgbImage image = images[i % images.Length];
            IReadOnlyList<Detection> found = detector.Detect(image.Pixels, image.Width, image.Height);
            if (!found.SequenceEqual(expected[i % images.Length])) throw new InvalidOperationException(
                $"Image {i % images.Length}: {string.Join("; ", found)}");
        });
    }

    [Test]
    public void CancelledBefore_TheTaskIsCancelled()
    {
        using ObjectDetector detector = ObjectDetector.Load(Onnx());
        using MLImage image = ToyDetector.Image(40, 20, Cells);
        var cancelled = new CancellationToken(canceled: true);
        Assert.That(async () => await detector.DetectAsync(image, cancelled), Throws.InstanceOf<OperationCanceledException>());
        Assert.That(async () => await detector.DetectAsync([image], cancelled), Throws.InstanceOf<OperationCanceledException>());
        Assert.That(async () => await detector.DetectAsync(new byte[3], 1, 1, cancelled), Throws.InstanceOf<OperationCanceledException>());
    }

    [Test, CancelAfter(60_000)]
    public void CancelledInTheMidstOfARun_TheRunEnds()
    {
        // Twenty thousand matrix products, which take far longer than the test may.
        using var session = new OnnxSession(LongGraph());
        using var source = new CancellationTokenSource(TimeSpan.FromMilliseconds(300));
        Assert.That(
            () => session.Run([OnnxSession.Input("x", new float[512 * 512], 512, 512)], source.Token),
            Throws.InstanceOf<OperationCanceledException>());
    }

    [Test]
    public void WrongPixels_AreRefused()
    {
        using ObjectDetector detector = ObjectDetector.Load(Onnx());
        Assert.That(() => detector.Detect(new byte[11], 2, 2), Throws.ArgumentException.With.Message.Contains("12 bytes"));
        Assert.That(() => detector.Detect([], 0, 2), Throws.InstanceOf<ArgumentOutOfRangeException>());
        Assert.That(() => detector.DetectAsync(new byte[11], 2, 2), Throws.ArgumentException);
    }

    [Test]
    public void WrongImageFiles_AreNamed()
    {
        using ObjectDetector detector = ObjectDetector.Load(Onnx());
        string text = _folder.Write("text.png", "no image"), none = _folder.Sub("none.png");
        string whole = Save("whole.png", ToyDetector.Image(40, 20, Cells)), half = _folder.Sub("half.png");
        File.WriteAllBytes(half, File.ReadAllBytes(whole)[..60]);

        foreach ((string path, Type type) in ((string, Type)[])[(text, typeof(FormatException)), (none, typeof(FileNotFoundException)),
            (half, typeof(FormatException))])
        {
            Assert.That(() => detector.Detect(path), Throws.InstanceOf(type).With.Message.Contains(path));
            Assert.That(() => detector.Detect([whole, path]), Throws.InstanceOf(type).With.Message.Contains(path));
        }
    }

    [Test]
    public void WrongModelFiles_AreNamed_AndWhatToDo()
    {
        string text = _folder.Write("text.onnx", "no model"), notZip = _folder.Write("text.zip", "no zip"), none = _folder.Sub("none.onnx");
        string empty = _folder.Sub("empty.zip"), nameless = _folder.Sub("nameless.onnx");
        using (var archive = new System.IO.Compression.ZipArchive(File.Create(empty), System.IO.Compression.ZipArchiveMode.Create)) archive
            .CreateEntry("nothing");
        using (var graph = new TeacherGraph()) File.Copy(graph.Output("boxes", new float[8], [2, 4]).Save(), nameless);

        Assert.That(() => ObjectDetector.Load(none), Throws.TypeOf<FileNotFoundException>().With.Message.Contains(none));
        Assert.That(() => ObjectDetector.Load(text), Throws.TypeOf<FormatException>().With.Message.Contains(text));
        Assert.That(() => ObjectDetector.Load(notZip), Throws.TypeOf<FormatException>().With.Message.Contains(notZip));
        Assert.That(() => ObjectDetector.Load(empty), Throws.TypeOf<FormatException>().With.Message.Contains(empty).And.Message
            .Contains("no detector"));
        Assert.That(() => ObjectDetector.Load(nameless), Throws.ArgumentException.With.Message.Contains(nameless).And.Message
            .Contains("ClassNames"));
        Assert.That(() => Load(new MemoryStream([1, 2, 3])), Throws.TypeOf<FormatException>());
    }

    [Test]
    public void OptionsOfReading_AreRefusedForADetectorThatSaysItself()
    {
        Assert.That(() => ObjectDetector.Load(Onnx(), new ObjectDetectorOptions { ClassNames = ["a"] }),
            Throws.ArgumentException.With.Message.Contains("ClassNames"));
        Assert.That(() => ObjectDetector.Load(Onnx(), new ObjectDetectorOptions { InputWidth = 32 }),
            Throws.ArgumentException.With.Message.Contains("InputWidth"));
        Assert.That(() => ObjectDetector.Load(Onnx(), new ObjectDetectorOptions { ScoreThreshold = 2 }),
            Throws.InstanceOf<ArgumentException>().With.Message.Contains("ScoreThreshold"));
        Assert.That(() => ObjectDetector.Load(Onnx(), new ObjectDetectorOptions { Threads = -1 }),
            Throws.InstanceOf<ArgumentException>().With.Message.Contains("Threads"));
    }

    [Test]
    public void ConfigureSession_IsGivenOnnxRuntimesSettings()
    {
        int threads = -1;
        ObjectDetector.Load(Onnx(), new ObjectDetectorOptions
        {
            Threads = 1,
            ConfigureSession = settings => threads = settings.IntraOpNumThreads
        }).Dispose();
        Assert.That(threads, Is.EqualTo(1));
    }

    [Test]
    public void Disposed_WhileOthersDetect_LetsThemEnd()
    {
        for (int round = 0; round < 10; round++)
        {
            ObjectDetector detector = ObjectDetector.Load(Onnx(), new ObjectDetectorOptions { Threads = 1 });
            using var running = new CountdownEvent(4);
            Task[] tasks = [.. Enumerable.Range(0, 4).Select(_ => Task.Factory.StartNew(Detect, TaskCreationOptions.LongRunning))];
            running.Wait();
            detector.Dispose();
            Assert.That(() => Task.WaitAll(tasks), Throws.Nothing, "each ends in an answer or in the error that it is disposed");

            void Detect()
            {
                bool first = true;
                try
                {
                    for (int i = 0; i < 10_000; i++)
                    {
                        detector.Detect(new byte[3 * 64 * 48], 64, 48);
                        if (first) running.Signal();
                        first = false;
                    }
                }
                catch (ObjectDisposedException)
                {
                    Assert.That(first, Is.False);
                }
            }
        }
    }

    [Test]
    public void Disposed_SaysSo()
    {
        ObjectDetector detector = ObjectDetector.Load(Onnx());
        detector.Dispose();
        detector.Dispose();
        Assert.That(() => detector.Detect(new byte[3], 1, 1), Throws.InstanceOf<ObjectDisposedException>());
    }

    [Test]
    public void PublishedDetector_IsSuppressed_AndItsBoxesAreInPixels()
    {
        // Two rows of one object, of which the second is worse, and one of another class; x0 y0 x1 y1 in pixels of 64 × 64.
        using var graph = new TeacherGraph();
        graph.Output("output0", [16, 16, 32, 32, .9f, .1f, 17, 16, 33, 32, .8f, .1f, 0, 0, 8, 64, .2f, .7f], [3, 6]);
        string path = graph.Metadata("names", "{0: 'cat', 1: 'dog'}").Save();
        OnnxDecoder decoder = outputs => Rows(outputs["output0"]);
        var options = new ObjectDetectorOptions { Decoder = decoder };

        using ObjectDetector detector = ObjectDetector.Load(path, options),
        fromStream = Load(new MemoryStream(File.ReadAllBytes(path)), options);
        using ObjectDetector keepsAll = ObjectDetector.Load(path, options with { NmsThreshold = 1, ClassNames = ["a", "b"] });

        IReadOnlyList<Detection> found = detector.Detect(new byte[3 * 128 * 32], 128, 32);
        Assert.That(found, Is.EqualTo(
            new[] { new Detection("cat", .9f, new BoundingBox(32, 8, 64, 16)), new Detection("dog", .7f, new BoundingBox(0, 0, 16, 32)) }));
        Assert.That(fromStream.Detect(new byte[3 * 128 * 32], 128, 32), Is.EqualTo(found));
        Assert.That(keepsAll.Detect(new byte[3 * 128 * 32], 128, 32).Select(one => one.Label), Is.EqualTo(new[] { "a", "a", "b" }));
        Assert.That((detector.InputWidth, detector.InputHeight), Is.EqualTo((64, 64)));
    }

    [Test]
    public void RealPublishedDetector_FindsWhatItsReaderFinds()
    {
        string path = TestData.Model("fastestdet.onnx"), names = TestData.Model("coco.names");
        IReadOnlyList<string> classes = ClassNameFile.Read(names);
        RgbImage image = DrawnImages.Noise(200, 120);
        using var reader = new PublishedDetector(path, OnnxDetectorFormat.Auto, classes, new OnnxDetectorOptions { NoiseScore = 0 });
        using ObjectDetector detector = ObjectDetector.Load(path, new ObjectDetectorOptions { ClassNames = classes, NoiseScore = 0 });

        Detections expected = Suppression.Detect(
            reader.Run(AntialiasedResize.Resize(image, reader.InputSize), [new ImageSize(200, 120)])[0].Predictions).Scaled(200, 120);
        IReadOnlyList<Detection> found = detector.Detect(image.Pixels, 200, 120);

        Assert.That(found, Is.Not.Empty);
        Assert.That(found.Select(one => one.Label), Is.EqualTo(expected.Labels.Select(label => classes[label])));
        Assert.That(found.Select(one => one.Score), Is.EqualTo(expected.Scores).Within(1e-6));
        Assert.That(found.SelectMany(one => (float[])[one.Box.X0, one.Box.Y0, one.Box.X1, one.Box.Y1]),
            Is.EqualTo(expected.Boxes).Within(1e-3));
        Assert.That(detector.Detect([DrawnImages.ToMLImage(image), DrawnImages.ToMLImage(image)])[1].Select(one => one.Label),
            Is.EqualTo(found.Select(one => one.Label)));
    }

    private static OnnxPredictions Rows(OnnxOutput output)
    {
        float[][] rows = [.. output.Values.ToArray().Chunk(6)];
        return new OnnxPredictions([.. rows.SelectMany(row => row[..4])], [.. rows.SelectMany(row => row[4..])]);
    }

    private static ObjectDetector Load(Stream stream, ObjectDetectorOptions? options = null)
    {
        using (stream) return ObjectDetector.Load(stream, options);
    }

    private static IEnumerable<float> Numbers(IEnumerable<Detection> found)
        => found.SelectMany(one => (float[])[one.Score, one.Box.X0, one.Box.Y0, one.Box.X1, one.Box.Y1]);

    private static byte[] LongGraph()
    {
        var graph = new GraphBuilder();
        string x = graph.Input("x", Float, 512, 512);
        string value = x;
        for (int i = 0; i < 20_000; i++) value = graph.Add("MatMul", [value, x]);
        graph.Output("y", value, Float, 512, 512);
        return new OnnxModelFile(graph.Build([])).ToBytes();
    }

    private const TensorProto.Types.DataType Float = TensorProto.Types.DataType.Float;

    private string Onnx()
    {
        string path = _folder.Sub("student.onnx");
        File.WriteAllBytes(path, ToyDetector.Model().ToBytes());
        return path;
    }

    private string Zip()
    {
        string path = _folder.Sub("student.zip");
        var context = new MLContext();
        using MLImage image = ToyDetector.Image(4, 4);
        IDataView images = context.Data.LoadFromEnumerable(new[] { new Row { Image = image } });
        using var transformer = new DetectorTransformer(context.Transforms, ToyDetector.Model(), new DetectorColumns(), images.Schema);
        context.Model.Save(transformer, inputSchema: null, path);
        return path;
    }

    private string Save(string name, MLImage image)
    {
        string path = _folder.Sub(name);
        image.Save(path);
        return path;
    }

    private sealed class Row
    {
        [AnySizeImage]
        public MLImage? Image { get; set; }
    }
}
