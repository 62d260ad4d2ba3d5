using static TorchSharp.torch;

namespace Microsoft.ML.Distillation.Tests.Estimators;

/// <summary>The ways of training, through the public surface, on a GPU. Skipped on machines without one.</summary>
[Category("Gpu")]
public class GpuEstimatorTests
{
    private static readonly DetectorPlan TwoStage = DetectorPlan.FasterRcnn(Backbone.Plain(8, 16, 16), inputSize: 64);
    private static readonly DetectorPlan OneStage = DetectorPlan.OneStage(Backbone.Plain(8, 16, 16), inputSize: 64);
    private static readonly DistillationLoss[] Everything =
    [
        new SoftClasses(), new BoundedBoxes(), new ClassRelations(), new Hint(),
        new PearsonFeatures { Weight = 1 }, new ChannelWise { Weight = 1 }, new MaskedGeneration { Weight = 1 },
    ];

    private readonly List<string> _log = [];
    private DrawnFolder _folder = null!;
    private MLContext _mlContext = null!;
    private DetectorTransformer _twoStage = null!;
    private DetectorTransformer _oneStage = null!;

    [OneTimeSetUp]
    public void TrainTheTeachers()
    {
        if (!cuda.is_available()) Assert.Ignore("There is no GPU that TorchSharp can use (see docs/gpu.md).");
        _folder = new DrawnFolder(train: 8, val: 4, test: 1);
        _mlContext = new MLContext(seed: 1) { GpuDeviceId = 0 };
        _mlContext.Log += (_, e) => _log.Add(e.RawMessage);
        _twoStage = _mlContext.Transforms
            .TrainDetector(new TrainDetectorOptions
            {
                Detector = DetectorPlan.FasterRcnn(Backbone.ResNet18 with { FpnChannels = 16 }, 96),
                Epochs = 2
            }).Fit(Images("train"));
        _oneStage = _mlContext.Transforms
            .TrainDetector(new TrainDetectorOptions { Detector = DetectorPlan.OneStage(Backbone.Plain(16, 24, 32), 64), Epochs = 2 })
            .Fit(Images("train"));
    }

    [OneTimeTearDown]
    public void Delete()
    {
        _twoStage?.Dispose();
        _oneStage?.Dispose();
        _folder?.Dispose();
    }

    [Test]
    public void Students_LearnUnderTeachers([Values] bool oneStageTeacher, [Values] bool oneStageStudent)
        => Distil(new DistillDetectorOptions
        {
            Teacher = Teacher.FromModel(oneStageTeacher ? _oneStage : _twoStage),
            Student = oneStageStudent ? OneStage : TwoStage,
            Losses = oneStageTeacher && oneStageStudent
                ? [.. Everything, new BoxDistributions { Weight = 1 }, new CrossHead()]
                : Everything,
            SquaredRegressionWeight = oneStageStudent ? 0 : 1,
            EmaDecay = 0.9,
            ValidationSet = Images("val"),
        });

    [Test]
    public void Students_LearnInMixedPrecision([Values] bool oneStage)
        => Distil(new DistillDetectorOptions
        {
            Teacher = Teacher.FromModel(_twoStage),
            Student = oneStage ? OneStage
            : TwoStage,
            MixedPrecision = true,
            Optimizer = OptimizerKind.Sgd
        });

    [Test]
    public void Students_LearnWithFewBits([Values] ApprenticeScheme scheme, [Values("w8a8", "w4a8", "w2")] string precision)
    {
        using DetectorTransformer? trained = scheme != ApprenticeScheme.C ? null
            : _mlContext.Transforms.TrainDetector(new TrainDetectorOptions { Detector = TwoStage, Epochs = 1 }).Fit(Images("train"));
        Distil(new DistillDetectorOptions
        {
            Teacher = Teacher.FromModel(_twoStage),
            Student = TwoStage,
            Scheme = scheme,
            Precision = LowPrecision.Parse(precision),
            InitialStudent = trained is null ? null : TrainedDetector.FromModel(trained),
        });
    }

    [Test]
    public void Students_LearnFromAnOnnxModel([Values] bool oneStage)
    {
        using var graph = new TeacherGraph("batch").Output("scores", [.1f, .8f, .1f], [1, 3]).Output("boxes", [.1f, .1f, .4f, .5f], [1, 4]);
        string hint = graph.Pool(), path = graph.Save();
        Distil(new DistillDetectorOptions
        {
            Teacher = Teacher.FromOnnx(path, OnnxDetectorFormat.Auto, ["square", "disc"], new OnnxTeacherOptions { Hints = [hint] }),
            Student = oneStage ? OneStage : TwoStage,
        });
    }

    [Test]
    public void Students_LearnFromImagesWithoutLabels()
    {
        var options = new DistillDetectorOptions
        {
            Teacher = Teacher.FromModel(_twoStage),
            Student = TwoStage,
            GeneratedLabels = new GeneratedLabelOptions { ScoreThreshold = 0.02 }
        };
        Distil(options with { UnlabelledSet = Images("val") });
        Distil(options with { WithoutLabels = true });
    }

    [Test]
    public void InterruptedTraining_Resumes()
    {
        string checkpoints = _folder.At("checkpoints");
        using var stop = new CancellationTokenSource();
        var options = new DistillDetectorOptions
        {
            Teacher = Teacher.FromModel(_twoStage),
            Student = TwoStage,
            CheckpointDirectory = checkpoints,
            EmaDecay = 0.9,
            Epochs = 2
        };
        Distil(options with { CancellationToken = stop.Token, Progress = new Follow(p => { if (p.EpochEnd) stop.Cancel(); }) });
        var epochs = new List<int>();
        Distil(options with { Progress = new Follow(p => epochs.Add(p.Epoch)) });
        Assert.That(epochs.Distinct(), Is.EqualTo(new[] { 2 }));
    }

    /// <summary>Trains; the estimator itself holds the exported model to the network.</summary>
    private void Distil(DistillDetectorOptions options)
    {
        _log.Clear();
        using DetectorTransformer student = _mlContext.Transforms.DistillDetector(options with { Epochs = options.Epochs ?? 1 })
            .Fit(Images("train"));
        Assert.That(_log, Has.Some.StartsWith("Training on").And.Contains("cuda"));
        Assert.That(_log, Has.Some.StartsWith("Exported to ONNX"));
    }

    private IDataView Images(string split)
    {
        IDataView files = _mlContext.Data.LoadDetections(_folder.Path, split: split);
        return _mlContext.Transforms.LoadImages("Image", null!, "ImagePath")
            .Append(_mlContext.Transforms.Conversion
                .MapValueToKey("Label", keyOrdinality: Microsoft.ML.Transforms.ValueToKeyMappingEstimator.KeyOrdinality.ByValue))
            .Fit(files).Transform(files);
    }
}
