using Microsoft.ML.Distillation.Detectors;
using Microsoft.ML.Distillation.Estimators;
using Microsoft.ML.Distillation.Model;
using Microsoft.ML.Distillation.Tests.Detectors.Graphs;

namespace Microsoft.ML.Distillation.Tests.Estimators;

/// <summary>Students of low precision through the public surface, on drawn images.</summary>
public class LowPrecisionEstimatorTests
{
    private static readonly DetectorPlan Student = DetectorPlan.FasterRcnn(Backbone.Plain(8, 16, 16), inputSize: 64);

    private TemporaryFolder _folder = null!;
    private MLContext _mlContext = null!;
    private IDataView _train = null!;
    private DetectorTransformer _full = null!;
    private Teacher _teacher = null!;

    [OneTimeSetUp]
    public void TakeADetectorOfFullPrecision()
    {
        _folder = new TemporaryFolder();
        _mlContext = new MLContext(seed: 1);
        _train = Images("train");
        _full = TrainedDetector.FromModel(TrainedModels.TwoStage).ToTransformer(_mlContext, _train.Schema);
        _teacher = Teacher.FromModel(_full);
    }

    [OneTimeTearDown]
    public void Delete()
    {
        _full.Dispose();
        _folder.Dispose();
    }

    [Test]
    public void PostTraining_W8A8_StaysNearTheFullPrecision()
    {
        using DetectorTransformer quantised = _mlContext.Transforms.QuantizeDetector(
            new QuantizeDetectorOptions { Detector = TrainedDetector.FromModel(_full), CalibrationImages = 12 }).Fit(_train);
        double full = Ap(_full), low = Ap(quantised);
        TestContext.Out.WriteLine($"AP {full:0.000} in full precision, {low:0.000} in 8 bits");
        Assert.That(full, Is.GreaterThan(0.25), "the detector has learned something");
        Assert.That(low, Is.EqualTo(full).Within(0.06));
        Assert.That(DetectorFile.Load(FittedDetectors.In(quantised)).Precision, Is.EqualTo(LowPrecision.W8A8));
    }

    [Test]
    public void PhotosThatAreToBeTurned_AreToldInCalibration()
    {
        string photo = _folder.Sub("turned.jpg");
        byte[] jpeg = EncodedImages.Encode(DrawnImages.Noise(40, 20), ".jpg");
        File.WriteAllBytes(photo, EncodedImages.WithExif(jpeg, 6, jpeg));
        IDataView files = _mlContext.Data.LoadFromEnumerable((PathRow[])[new() { ImagePath = photo }]);
        IDataView stock = _mlContext.Transforms.LoadImages("Image", null, "ImagePath").Fit(files).Transform(files);
        IDataView upright = _mlContext.Transforms.LoadUprightImages("Image", inputColumnName: "ImagePath").Fit(files).Transform(files);
        using var turned = new CalibrationImages(stock, "Image", 3, ["a"]);
        using var fine = new CalibrationImages(upright, "Image", 3, ["a"]);
        Assert.That(turned.Warning, Does.Contain("turned.jpg").And.Contain("LoadUprightImages"));
        Assert.That(fine.Warning, Is.Null);
    }

    private sealed class PathRow
    {
        public string ImagePath { get; set; } = "";
    }

    [Test]
    public void SavedModels_Work_AndLoadBackAsTeachers_WithInt4()
    {
        using DetectorTransformer quantised = _mlContext.Transforms.QuantizeDetector(
            new QuantizeDetectorOptions { Detector = TrainedDetector.FromModel(_full), Precision = LowPrecision.W4A8 }).Fit(_train);
        string zip = _folder.Sub("w4a8.zip"), onnx = _folder.Sub("w4a8.onnx");
        _mlContext.Model.Save(quantised, _train.Schema, zip);
        quantised.SaveOnnx(onnx);
        quantised.SaveOnnx(_folder.Sub("plain.onnx"), plain: true);
        ITransformer loaded = _mlContext.Model.Load(zip, out _);
        Assert.That(Ap(loaded), Is.EqualTo(Ap(quantised)).Within(1e-9));
        Assert.That(Teacher.FromModel(onnx).ClassNames, Is.EqualTo(new[] { "disc", "square" }));
        Assert.That(() => _mlContext.Transforms.QuantizeDetector(new QuantizeDetectorOptions { Detector = TrainedDetector.FromModel(zip) })
            .Fit(_train),
            Throws.ArgumentException.With.Message.Contains("low precision already").And.Message.Contains("w4a8"));
    }

    [Test]
    public void EverySchemeLowersTheLoss([Values] ApprenticeScheme scheme)
    {
        var losses = new List<double>();
        var options = new DistillDetectorOptions
        {
            Teacher = _teacher,
            Student = Student,
            Precision = scheme == ApprenticeScheme.C ? LowPrecision.W2A8 : LowPrecision.W4A8,
            Scheme = scheme,
            InitialStudent = scheme == ApprenticeScheme.C ? TrainedDetector.FromModel(_full) : null,
            Epochs = scheme == ApprenticeScheme.C ? 30 : 10,
            LearningRate = scheme == ApprenticeScheme.C ? 0.001 : null,
            Augmentation = AugmentationOptions.None,
            Progress = new Follow(p =>
            {
                if (p.EpochEnd) losses.Add(p.Loss);
            }),
        };
        using DetectorTransformer fitted = _mlContext.Transforms.DistillDetector(options).Fit(_train);
        Assert.That(losses.TakeLast(3).Average(), Is.LessThan(losses[0]));
        Assert.That(DetectorFile.Load(FittedDetectors.In(fitted)).Precision, Is.EqualTo(options.Precision));
    }

    [TestCase(false, null, ExpectedResult = true)]
    [TestCase(true, null, ExpectedResult = false)]
    [TestCase(true, 10.0, ExpectedResult = true)]
    public bool ChannelWiseLoss_IsTheDefaultOfFreshStudentsAlone(bool trained, double? weight)
    {
        var terms = new HashSet<string>();
        var options = new DistillDetectorOptions
        {
            Teacher = _teacher,
            Student = Student,
            Losses = weight is null ? null : [new Hint(), new ChannelWise { Weight = weight }],
            InitialStudent = !trained ? null : TrainedDetector.FromModel(_full),
            Epochs = 1,
            Progress = new Follow(p => terms.UnionWith(p.Losses.Keys)),
        };
        using DetectorTransformer fitted = _mlContext.Transforms.DistillDetector(options).Fit(_train);
        Assert.That(terms, Has.Some.StartsWith("hint"), "the losses of Chen et al. always are");
        return terms.Any(term => term.StartsWith("cwd", StringComparison.Ordinal));
    }

    [Test]
    public void WithoutATeacher_FromATrainedDetector()
    {
        using DetectorTransformer fitted = _mlContext.Transforms.TrainDetector(new TrainDetectorOptions
        {
            Precision = LowPrecision.W2,
            InitialStudent = TrainedDetector.FromModel(_full),
            Epochs = 2,
        }).Fit(_train);
        Assert.That(DetectorFile.Load(FittedDetectors.In(fitted)).InputSize,
            Is.EqualTo(DetectorFile.Load(FittedDetectors.In(_full)).InputSize), "it is the detector that it started from");
    }

    [Test]
    public void WrongCombinations_AreNamed()
    {
        TrainedDetector trained = TrainedDetector.FromModel(_full);
        var options = new DistillDetectorOptions { Teacher = _teacher, Precision = LowPrecision.W4A8 };
        AssertWrong(options with { Precision = null, Scheme = ApprenticeScheme.B }, "Precision");
        AssertWrong(options with { Scheme = ApprenticeScheme.C }, "InitialStudent");
        AssertWrong(options with { Scheme = ApprenticeScheme.A, InitialStudent = trained }, "InitialStudent");
        AssertWrong(options with { Scheme = (ApprenticeScheme)9 }, "Scheme");
        AssertWrong(options with { Scheme = ApprenticeScheme.A, UnlabelledSet = _train }, "has learned nothing");
        AssertWrong(options with { Scheme = ApprenticeScheme.A, WithoutLabels = true }, "WithoutLabels");
        using var foreign = new TrunkFile();
        AssertWrong(options with
        {
            Scheme = ApprenticeScheme.A,
            Teacher = Teacher.FromOnnx(foreign.Path, OnnxDetectorFormat.YoloX, ["disc", "square"]),
        }, "Teacher.FromModel");
        Assert.That(() => _mlContext.Transforms.QuantizeDetector(new QuantizeDetectorOptions { Detector = trained, CalibrationImages = 0 }),
            Throws.InstanceOf<ArgumentException>().With.Message.Contains("CalibrationImages"));
        IDataView unprepared = _mlContext.Data.LoadDetections(TrainedModels.Images.Path);
        Assert.That(() => _mlContext.Transforms.QuantizeDetector(new QuantizeDetectorOptions { Detector = trained }).Fit(unprepared),
            Throws.ArgumentException.With.Message.Contains("'Image'").And.Message.Contains("LoadUprightImages"));

        void AssertWrong(DistillDetectorOptions wrong, string what)
            => Assert.That(() => _mlContext.Transforms.DistillDetector(wrong),
                Throws.InstanceOf<ArgumentException>().With.Message.Contains(what));
    }

    [Test]
    public void LayersThatRoundToNothing_AreNamed()
    {
        var context = new MLContext(seed: 1);
        var warnings = new List<string>();
        context.Log += (_, e) => { if (e.Kind == Runtime.ChannelMessageKind.Warning) warnings.Add(e.Message); };
        DetectorPlan student = DetectorPlan.FasterRcnn(Backbone.Plain(8, 16, 32), inputSize: 64);
        TrainDetectorOptions options =
            new() { Detector = student, Epochs = 1, Precision = LowPrecision.W4A8 with { Quantizer = QuantizerKind.Wrpn } };
        context.Transforms.TrainDetector(options).Fit(_train).Dispose();
        // New weights of a layer with 800 inputs (32 channels of 5×5) are at most √(3/800) = 0.061, below half of WRPN's step of 1/7.
        Assert.That(warnings, Has.Some.Contains("w4a8, WRPN").And.Contains("head.fc6").And.Contains("PerChannel"));

        warnings.Clear();
        context.Transforms.TrainDetector(options with { Precision = LowPrecision.W4A8 }).Fit(_train).Dispose();
        context.Transforms.QuantizeDetector(new QuantizeDetectorOptions
        {
            Detector = TrainedDetector.FromModel(_full),
            Precision = LowPrecision.W2A8
        }).Fit(_train).Dispose();
        Assert.That(warnings, Is.Empty);
    }

    private IDataView Images(string split)
    {
        IDataView files = _mlContext.Data.LoadDetections(TrainedModels.Images.Path, split: split);
        return _mlContext.Transforms.LoadImages("Image", null!, "ImagePath")
            .Append(_mlContext.Transforms.Conversion
                .MapValueToKey("Label", keyOrdinality: Microsoft.ML.Transforms.ValueToKeyMappingEstimator.KeyOrdinality.ByValue))
            .Fit(files).Transform(files);
    }

    private double Ap(ITransformer model) => _mlContext.EvaluateDetections(model.Transform(_train)).AveragePrecision;
}
