using Microsoft.ML.Distillation.Data;
using Microsoft.ML.Distillation.Estimators;
using Microsoft.ML.Distillation.Images;
using Microsoft.ML.Distillation.Model;
using Microsoft.ML.Distillation.Tests.Data;
using Microsoft.ML.Distillation.Training;

namespace Microsoft.ML.Distillation.Tests.Estimators;

/// <summary>What becomes of a training that is interrupted, and of trained weights, whatever happens after training.</summary>
[NonParallelizable]
public class AfterTrainingTests
{
    private static readonly DetectorPlan TwoStage = DetectorPlan.FasterRcnn(Backbone.Plain(4, 8, 8), 64);

    private readonly MLContext _mlContext = new(seed: 1);
    private TemporaryFolder _folder = null!;

    [SetUp]
    public void MakeFolder() => _folder = new TemporaryFolder();

    [TearDown]
    public void RemoveFolder() => _folder.Dispose();

    [Test]
    public void InterruptedBeforeItsFirstEpochEnds_ItGivesNoModel()
    {
        using var stop = new CancellationTokenSource();
        var options = new TrainDetectorOptions
        {
            Detector = TwoStage,
            Epochs = 2,
            CancellationToken = stop.Token,
            Progress = new Follow(_ => stop.Cancel()),
            TrainedWeightsPath = _folder.Sub("weights"),
        };
        Assert.That(() => Fit(options), Throws.InstanceOf<OperationCanceledException>().With.Message.Contains("no model"));
        Assert.That(Directory.GetFiles(_folder.Path), Is.Empty);
    }

    [Test]
    public void InterruptedLater_ItGivesTheModelSoFar()
    {
        using var stop = new CancellationTokenSource();
        var options = new TrainDetectorOptions
        {
            Detector = TwoStage,
            Epochs = 5,
            CancellationToken = stop.Token,
            Progress = new Follow(report => { if (report is { Epoch: 2, EpochEnd: false }) stop.Cancel(); }),
        };
        using DetectorTransformer model = Fit(options);
        Assert.That(model.ClassNames, Has.Count.EqualTo(2));
    }

    [TestCase(false, false)]
    [TestCase(true, false)]
    [TestCase(false, true)]
    public void TrainedWeights_BecomeTheModelThatTheyAreOf(bool oneStage, bool fewBits)
    {
        string weights = _folder.Sub("deep/trained.weights.safetensors"), onnx = _folder.Sub("student.onnx");
        using DetectorTransformer model = Fit(new TrainDetectorOptions
        {
            Detector = oneStage ? DetectorPlan.OneStage(Backbone.Plain(4, 8, 8), 64) : TwoStage,
            Precision = fewBits ? LowPrecision.W8A8 : null,
            Epochs = 1,
            TrainedWeightsPath = weights,
        });
        TrainedDetector.FromModel(weights).SaveOnnx(onnx);
        Assert.That(FittedDetectors.In(onnx).ToBytes(), Is.EqualTo(model.Model.ToBytes()));
        using var detector = ObjectDetector.Load(onnx);
        Assert.That(detector.ClassNames, Is.EqualTo(model.ClassNames));
    }

    /// <param name="validated">Whether the best model is chosen by a validation set.</param>
    [Test]
    public void ACheckpoint_IsExportedAsWhatTrainingWouldGive([Values] bool validated, [Values] bool averaged)
    {
        using DetectorTransformer model = Fit(new TrainDetectorOptions
        {
            Detector = TwoStage,
            Epochs = 2,
            EmaDecay = averaged ? 0.9 : null,
            ValidationSet = validated ? Images() : null,
            CheckpointDirectory = _folder.Path,
        });
        Assert.That(ParametersOf(TrainedDetector.FromModel(_folder.Sub(Checkpoint.FileName))), Is.EqualTo(model.Model.Parameters()
            .ToDictionary(entry => entry.Key, entry => entry.Value.Values)));

        static Dictionary<string, float[]> ParametersOf(TrainedDetector detector)
            => detector.Model.Parameters().ToDictionary(entry => entry.Key, entry => entry.Value.Values);
    }

    [Test]
    public void WhateverFailsAfterTraining_TheErrorNamesAFileThatFinishesIt()
    {
        if (OperatingSystem.IsWindows()) Assert.Ignore("Windows' folder of temporary files cannot be made unusable so.");
        string? temporary = Environment.GetEnvironmentVariable("TMPDIR");
        var options = new TrainDetectorOptions
        {
            Detector = TwoStage,
            Epochs = 1,
            CheckpointDirectory = _folder.Path,
            Progress = new Follow(report =>
            {
                if (report.EpochEnd) Environment.SetEnvironmentVariable("TMPDIR", _folder.Sub("gone/") + "nowhere");
            }),
        };
        try
        {
            IOException? error = Assert.Catch<IOException>(() => Fit(options));
            string file = Directory.GetFiles(_folder.Path, "trained-*.weights.safetensors").Single();
            Assert.That(error!.Message, Does.Contain("nowhere").And.Contain($"'{file}'").And.Contain("TrainedDetector.FromModel"));
            Assert.That(TrainedDetector.FromModel(file).ClassNames, Is.EqualTo(TrainedModelClasses));
        }
        finally
        {
            Environment.SetEnvironmentVariable("TMPDIR", temporary);
        }
    }

    [Test]
    public void ImagesOfOneColour_AreNoReasonToRefuseAnExport()
    {
        for (int i = 0; i < 6; i++)
        {
            byte[] colour = [(byte)(i * 40), (byte)(255 - i * 30), 40];
            byte[] pixels = [.. Enumerable.Range(0, 64 * 48).SelectMany(_ => colour)];
            DrawnImages.Save(new RgbImage(64, 48, pixels), _folder.Sub($"images/{i}.png"));
            _folder.Write($"labels/{i}.txt", $"{i % 2} 0.5 0.5 0.5 0.4");
        }

        _folder.Write("data.yaml", "path: .\ntrain: images\nnames: [a, b]\n");
        IDataView files = _mlContext.Data.LoadDetections(_folder.Path, DetectionFormat.Yolo, split: "train");
        IDataView images = _mlContext.Transforms.LoadUprightImages("Image", inputColumnName: "ImagePath")
            .Append(_mlContext.Transforms.Conversion.MapValueToKey("Label")).Fit(files).Transform(files);
        using DetectorTransformer model = _mlContext.Transforms.TrainDetector(new TrainDetectorOptions { Detector = TwoStage, Epochs = 2 })
            .Fit(images);
        Assert.That(model.ClassNames, Has.Count.EqualTo(2));
    }

    [Test]
    public void Grain_IsLittle_AndAlwaysTheSame()
    {
        using SampleStore data = DrawnStore.Of(2);
        using var grained = new GrainedDataset(data, grain: 4);
        byte[] before = data.Read(1).Pixels, after = grained.Read(1).Pixels;
        Assert.That(before.Zip(after, (x, y) => Math.Abs(x - y)).Max(), Is.InRange(1, 4));
        Assert.That(grained.Read(1).Pixels, Is.EqualTo(after));
    }

    [Test]
    public void AFolderOfCheckpoints_TakesOneRunAtATime()
    {
        string folder = _folder.Sub("checkpoints/").TrimEnd(Path.DirectorySeparatorChar);
        Exception? second = null;
        var options = new TrainDetectorOptions { Detector = TwoStage, Epochs = 1, CheckpointDirectory = folder };
        Fit(options with
        {
            Progress = new Follow(report => { if (!report.EpochEnd) second ??= Assert.Catch(() => Fit(options)); }),
        }).Dispose();
        Assert.That(second, Is.InstanceOf<InvalidOperationException>().With.Message.Contains("Another run").And.Message.Contains(folder));
        Assert.That(Directory.GetFileSystemEntries(folder).Select(Path.GetFileName), Is.EqualTo(new[] { Checkpoint.FileName }));
        Fit(options with { Epochs = 1 }).Dispose();
    }

    [Test]
    public void WeightsOfOthers_AndDamagedOnes_AreRefusedByName()
    {
        string weights = TestData.Model("shufflenetv2_x0_5_backbone.pth"), tensors = _folder.Sub("other.safetensors");
        Assert.That(() => TrainedDetector.FromModel(weights), Throws.InstanceOf<FormatException>().With.Message.Contains(weights));
        File.WriteAllBytes(tensors, [2, 0, 0, 0, 0, 0, 0, 0, (byte)'{', (byte)'}']);
        Assert.That(() => TrainedDetector.FromModel(tensors),
            Throws.InstanceOf<FormatException>().With.Message.Contains(tensors).And.Message.Contains("not those of a detector"));
    }

    private static readonly string[] TrainedModelClasses = ["disc", "square"];

    private DetectorTransformer Fit(TrainDetectorOptions options)
    {
        IDataView images = Images();
        return _mlContext.Transforms.TrainDetector(options).Fit(images);
    }

    private IDataView Images()
    {
        IDataView files = _mlContext.Data.TakeRows(_mlContext.Data.LoadDetections(TrainedModels.Images.Path, split: "train"), 8);
        return _mlContext.Transforms.LoadUprightImages("Image", inputColumnName: "ImagePath")
            .Append(_mlContext.Transforms.Conversion.MapValueToKey(
                "Label", keyData: _mlContext.Data.LoadFromEnumerable(TrainedModelClasses.Select(name => new Key { Name = name }))))
            .Fit(files).Transform(files);
    }

    private sealed class Key
    {
        public string Name { get; set; } = "";
    }
}
