using Microsoft.ML.Data;
using Microsoft.ML.Distillation.Images;
using Microsoft.ML.Distillation.Teachers;
using TorchSharp;

namespace Microsoft.ML.Distillation.Tests.Pipelines;

/// <summary>The whole way, as the README shows it, on drawn images: teacher, student, evaluation, files, engines.</summary>
public class PipelineTests
{
    private DrawnFolder _folder = null!;
    private MLContext _mlContext = null!;
    private IDataView _train = null!;
    private IDataView _test = null!;
    private ITransformer _teacher = null!;
    private ITransformer _student = null!;
    private readonly List<string> _log = [];
    private readonly List<TrainingProgress> _progress = [];

    [OneTimeSetUp]
    public void TrainTeacherAndStudent()
    {
        _folder = new DrawnFolder(train: 24, val: 6, test: 8);
        _mlContext = new MLContext(seed: 1);
        _mlContext.Log += (_, e) => _log.Add($"{e.Source}: {e.RawMessage}");
        _train = _mlContext.Data.LoadDetections(_folder.Path, split: "train");
        _test = _mlContext.Data.LoadDetections(_folder.Path, split: "test");

        var prepare = _mlContext.Transforms.LoadImages("Image", imageFolder: null, inputColumnName: "ImagePath")
            .Append(_mlContext.Transforms.Conversion.MapValueToKey("Label"), TransformerScope.Training);
        var teacher = prepare
            .Append(_mlContext.Transforms.TrainDetector(
                detector: DetectorPlan.FasterRcnn(Backbone.Plain(16, 24, 32, 32), inputSize: 96), epochs: 40))
            .Append(_mlContext.Transforms.Conversion.MapKeyToValue("PredictedLabel"))
            .Fit(_train);
        _mlContext.Model.Save(teacher.GetModelFor(TransformerScope.Scoring), _train.Schema, _folder.At("teacher.zip"));
        _teacher = teacher;

        IDataView validation = _mlContext.Transforms.LoadImages("Image", imageFolder: null, inputColumnName: "ImagePath")
            .Append(_mlContext.Transforms.Conversion.MapValueToKey("Label")).Fit(_train)
                .Transform(_mlContext.Data.LoadDetections(_folder.Path, split: "val"));
        var student = prepare
            .Append(_mlContext.Transforms.DistillDetector(new DistillDetectorOptions
            {
                Teacher = Teacher.FromModel(_folder.At("teacher.zip")),
                Student = DetectorPlan.FasterRcnn(Backbone.Plain(8, 16, 16), inputSize: 64),
                ValidationSet = validation,
                ValidationEvery = 5,
                Epochs = 25,
                Progress = new Collect(_progress),
            }))
            .Append(_mlContext.Transforms.Conversion.MapKeyToValue("PredictedLabel"))
            .Fit(_train);
        _mlContext.Model.Save(student.GetModelFor(TransformerScope.Scoring), _train.Schema, _folder.At("student.zip"));
        _student = student;
    }

    [OneTimeTearDown]
    public void Delete()
    {
        (_teacher as IDisposable)?.Dispose();
        (_student as IDisposable)?.Dispose();
        _folder.Dispose();
    }

    [Test]
    public void TeacherAndStudent_FindMostObjects()
    {
        DetectionMetrics teacher = _mlContext.EvaluateDetections(_teacher.Transform(_test));
        DetectionMetrics student = _mlContext.EvaluateDetections(_student.Transform(_test));
        TestContext.Out.WriteLine($"teacher {teacher.AveragePrecision:P1} {teacher.AveragePrecision50:P1}, student "
            + $"{student.AveragePrecision:P1} {student.AveragePrecision50:P1}");
        Assert.That(teacher.AveragePrecision50, Is.GreaterThan(.5));
        Assert.That(student.AveragePrecision50, Is.GreaterThan(.3));
        Assert.That(student.Classes.Select(c => c.Name), Is.EquivalentTo(new[] { "disc", "square" }));
    }

    [Test]
    public void LoadedModel_AndPredictionEngine_PredictTheSame()
    {
        Found[] expected = Predict(_student);

        ITransformer loaded = new MLContext().Model.Load(_folder.At("student.zip"), out _);
        Found[] fromZip = Predict(loaded);
        using var engine = _mlContext.Model.CreatePredictionEngine<Photo, Found>(loaded);

        for (int i = 0; i < expected.Length; i++)
        {
            expected[i].MustEqual(fromZip[i]);
            expected[i].MustEqual(engine.Predict(new Photo { ImagePath = _folder.Image(30 + i) }));
        }
    }

    [Test]
    public void AProcessWithoutLibtorch_PredictsTheSame()
    {
        ConsumerProcess.Answer answer = ConsumerProcess.Run(
            _folder.At("student.zip"), _folder.At("consumer.onnx"), [.. Enumerable.Range(30, 8).Select(_folder.Image)]);

        Found[] expected = Predict(_student);
        Assert.That(answer.TorchIsLoaded, Is.False);
        for (int i = 0; i < expected.Length; i++)
            expected[i].MustEqual(new Found(answer.Found[i].PredictedLabel, answer.Found[i].Score, answer.Found[i].PredictedBoundingBoxes));
    }

    [Test]
    public void SaveOnnx_WritesWhatThePipelineRuns_FullAndPlain()
    {
        _student.SaveOnnx(_folder.At("student.onnx"));
        _student.SaveOnnx(_folder.At("plain.onnx"), plain: true);
        using MLImage image = MLImage.CreateFromFile(_folder.Image(30));
        var pixels = MLImagePixels.ToRgb(image);
        var input = new ImageSize(64, 48);
        float[] resized = AntialiasedResize.Resize(pixels, input);

        Dictionary<string, Array> full = OnnxRun.Run(File.ReadAllBytes(_folder.At("student.onnx")),
            OnnxRun.Value("pixels", pixels.Pixels, 1, pixels.Pixels.Length),
            OnnxRun.Value("size", new long[] { pixels.Height, pixels.Width }, 1, 2));
        Dictionary<string, Array> plain = OnnxRun.Run(File.ReadAllBytes(_folder.At("plain.onnx")),
            OnnxRun.Value("images", resized, 1, 3, input.Height, input.Width));

        Found expected = Predict(_student)[0];
        Assert.That(full["boxes"], Is.EqualTo(expected.PredictedBoundingBoxes));
        Assert.That(full["scores"], Is.EqualTo(expected.Score));
        float[] shares = [.. expected.PredictedBoundingBoxes.Select((v, i) => v / (i % 2 == 0 ? pixels.Width : pixels.Height))];
        Assert.That(((float[])plain["scores"])[..1], Is.EqualTo(expected.Score[..1]).Within(1e-4));
        Assert.That(((float[])plain["boxes"])[..4], Is.EqualTo(shares[..4]).Within(1e-4));
    }

    [Test]
    public void Teacher_ComesFromAModelInMemory_OrFromAnOnnxFileInEitherForm()
    {
        _teacher.SaveOnnx(_folder.At("teacher.onnx"));
        _teacher.SaveOnnx(_folder.At("teacher-plain.onnx"), plain: true);
        foreach (Teacher teacher in new[]
        {
            Teacher.FromModel(_teacher), Teacher.FromModel(_folder.At("teacher.onnx")), Teacher.FromModel(_folder.At("teacher-plain.onnx")),
        })
        {
            using ITeacher opened = teacher.Open(teacher.ClassNames, torch.CPU);
            Assert.That(opened.Abilities.FeatureMaps, Is.Not.Empty);
        }
    }

    [Test]
    public void Log_HasALineForEachEpoch_WithTheTermsOfTheLoss()
    {
        string[] epochs = [.. _log.Where(line => line.StartsWith("DistillDetector; Training: Epoch", StringComparison.Ordinal))];
        Assert.That(epochs, Has.Length.EqualTo(25));
        Assert.That(epochs[4], Does.Contain("rcn.class.soft").And.Contain("hint").And.Contain("validation AP").And.Contain("images/s"));
    }

    [Test]
    public void Progress_ReportsEveryStep_AndValidation()
    {
        Assert.That(_progress.Count(p => p.EpochEnd), Is.EqualTo(25));
        Assert.That(_progress.Count(p => !p.EpochEnd), Is.EqualTo(150));
        Assert.That(_progress.Count(p => p.ValidationAveragePrecision is not null), Is.EqualTo(5));
    }

    private Found[] Predict(ITransformer model)
        => [.. _mlContext.Data.CreateEnumerable<Found>(model.Transform(_test), reuseRowObject: false)];

    private sealed class Collect(List<TrainingProgress> reports) : IProgress<TrainingProgress>
    {
        public void Report(TrainingProgress value) => reports.Add(value);
    }

    private sealed class Photo
    {
        public string ImagePath { get; set; } = "";
    }

    private sealed class Found
    {
        public Found()
        {
        }

        public Found(string[] label, float[] score, float[] boxes)
            => (PredictedLabel, Score, PredictedBoundingBoxes) = (label, score, boxes);

        public string[] PredictedLabel { get; set; } = [];

        public float[] Score { get; set; } = [];

        public float[] PredictedBoundingBoxes { get; set; } = [];

        public void MustEqual(Found other)
        {
            Assert.That(other.PredictedLabel, Is.EqualTo(PredictedLabel));
            Assert.That(other.Score, Is.EqualTo(Score));
            Assert.That(other.PredictedBoundingBoxes, Is.EqualTo(PredictedBoundingBoxes));
        }
    }

    [Test]
    public void Report_OfTheLoadedStudent_ShowsItsTrainingAndTheTestImages()
    {
        ITransformer loaded = _mlContext.Model.Load(_folder.At("student.zip"), out _);
        IDataView test = _mlContext.Transforms.LoadImages("Image", imageFolder: null, inputColumnName: "ImagePath").Fit(_test)
            .Transform(_test);
        loaded.SaveReport(_folder.At("report.html"),
            new DetectorReportOptions { TestSet = test, Teacher = _teacher, Title = "drawn", Pictures = 2 });
        string html = File.ReadAllText(_folder.At("report.html"));
        foreach (string section in (string[])["verdict", "trade-off", "pictures", "curves", "classes", "errors", "training", "data",
            "settings"])
            Assert.That(html, Does.Contain($"<section id=\"{section}\""));
        DetectionMetrics metrics = _mlContext.EvaluateDetections(_student.Transform(_test));
        Assert.That(html, Does.Contain($"AP {100 * metrics.AveragePrecision:0.0}"), "measured as EvaluateDetections measures");
        Assert.That(html, Does.Contain("Loss: student distilled").And.Contain("Loss: teacher"));

        loaded.SaveReport(_folder.At("bare.html"));
        Assert.That(File.ReadAllText(_folder.At("bare.html")), Does.Contain("trained, not yet measured").And
            .Contain("<section id=\"training\""));
    }
}
