using Microsoft.ML.Distillation.Data;
using Microsoft.ML.Distillation.Detectors;
using Microsoft.ML.Distillation.Detectors.Weights;
using Microsoft.ML.Distillation.Images;
using Microsoft.ML.Distillation.Rows;
using Microsoft.ML.Distillation.Training;

namespace Microsoft.ML.Distillation.Tests.Training;

public class CheckpointTests
{
    private string _folder = "";

    [SetUp]
    public void MakeFolder() => _folder = Directory.CreateTempSubdirectory("checkpoint").FullName;

    [TearDown]
    public void RemoveFolder() => Directory.Delete(_folder, recursive: true);

    [Test]
    public void ResumedRun_EqualsTheUninterruptedOne([Values] OptimizerKind optimizer, [Values] bool distilled)
    {
        using var data = new DrawnDataset(10);
        TrainingOptions options = TinyRun.Options(5) with { Optimizer = optimizer, EmaDecay = 0.9, LearningRate = 0.002 };
        (TrainingResult whole, float[] wholeWeights) = Run(options);

        using var cancel = new CancellationTokenSource();
        var interrupting = new Reports(report =>
        {
            if (report is { Epoch: 3, EpochEnd: false }) cancel.Cancel();
        });
        TrainingOptions saving = options with { CheckpointDirectory = _folder };
        (TrainingResult part, _) = Run(saving with { Progress = interrupting, CancellationToken = cancel.Token });
        Assert.That(part.History, Has.Count.EqualTo(2));

        var resumed = new Reports();
        (TrainingResult rest, float[] restWeights) = Run(saving with { Progress = resumed });
        Assert.That(resumed.All[0].Epoch, Is.EqualTo(3), "training went on where it stopped");
        Assert.That(rest.History.Select(epoch => epoch.Losses), Is.EqualTo(whole.History.Select(epoch => epoch.Losses)));
        Assert.That(rest.History.Select(epoch => epoch.ValidationAp), Is.EqualTo(whole.History.Select(epoch => epoch.ValidationAp)));
        Assert.That(restWeights, Is.EqualTo(wholeWeights));

        (TrainingResult again, float[] againWeights) = Run(saving);
        Assert.That(again.History, Has.Count.EqualTo(5));
        Assert.That(againWeights, Is.EqualTo(wholeWeights), "a finished run is returned as it is");

        (TrainingResult, float[]) Run(TrainingOptions with)
        {
            using FasterRcnn student = TinyRun.Detector();
            using var teacher = distilled ? TinyRun.Teacher() : null;
            TrainingResult result = TinyRun.Train(with, data, data, student, teacher);
            return (result, TrainingLoopTests.Values(student));
        }
    }

    /// <summary>An image that cannot be read is found when it is due, in an epoch that may take hours.</summary>
    [TestCase(false)]
    [TestCase(true)]
    public void RunThatAnImageStopped_GoesOnWithinTheEpoch_AndEndsAsIfNothingHadBeen(bool inValidation)
    {
        using var whole = new DrawnDataset(18);
        TrainingOptions options = TinyRun.Options(2) with { EmaDecay = 0.9 };
        using FasterRcnn undisturbed = TinyRun.Detector();
        TrainingResult expected = TinyRun.Train(options, whole, whole, undisturbed);

        using var broken = new BreakingDataset(whole) { BrokenRead = inValidation ? 5 : 13 };
        TrainingOptions saving = options with { CheckpointDirectory = _folder };
        using (FasterRcnn student = TinyRun.Detector())
        {
            Assert.That(() => TinyRun.Train(saving, inValidation ? whole : broken, inValidation ? broken : whole, student),
                Throws.TypeOf<InvalidDataException>().With.Message.StartsWith("This one.").And.Message.Contains(_folder));
        }

        var reports = new Reports();
        using FasterRcnn resumed = TinyRun.Detector();
        TrainingResult rest = TinyRun.Train(saving with { Progress = reports }, whole, whole, resumed);
        // Batches of 4: the thirteenth image is the first of the fourth step.
        Assert.That(reports.All[0].Step, Is.EqualTo(4));
        Assert.That(rest.History.Select(epoch => epoch.Losses), Is.EqualTo(expected.History.Select(epoch => epoch.Losses)));
        Assert.That(rest.History.Select(epoch => epoch.ValidationAp), Is.EqualTo(expected.History.Select(epoch => epoch.ValidationAp)));
        Assert.That(TrainingLoopTests.Values(resumed), Is.EqualTo(TrainingLoopTests.Values(undisturbed)));
    }

    [Test]
    public void ACheckpointOfAnotherRun_IsRefused_NamingTheSetting()
    {
        using var data = new DrawnDataset(4);
        TrainingOptions options = TinyRun.Options(1) with { CheckpointDirectory = _folder };
        Train(options);
        Assert.That(Refused(options with { BatchSize = 2 }), Does.Contain("BatchSize is 4, and now it is 2").And
            .Contains("CheckpointDirectory"));
        Assert.That(Refused(options with { Epochs = 2 }), Does.Contain("Epochs is 1"));
        Assert.That(Refused(options with { Augmentation = AugmentationOptions.None }), Does.Contain("Augmentation"));
        Assert.That(Refused(options, new DrawnDataset(4, seed: 2)), Does.Contain("training set"));
        Assert.DoesNotThrow(() => Train(options with { Seed = null }), "the seed is the checkpoint's where none is given");

        string Refused(TrainingOptions with, DrawnDataset? other = null)
            => Assert.Throws<InvalidOperationException>(() => Train(with, other))!.Message;

        void Train(TrainingOptions with, DrawnDataset? other = null)
        {
            using FasterRcnn student = TinyRun.Detector();
            TinyRun.Train(with, other ?? data, student: student);
        }
    }

    [Test]
    public void ADamagedFile_IsAClearError()
    {
        string path = Path.Combine(_folder, Checkpoint.FileName);
        File.WriteAllBytes(path, [1, 2, 3]);
        Assert.That(Assert.Throws<FormatException>(() => Checkpoint.SeedIn(_folder))!.Message, Does.Contain(path));
        File.WriteAllText(path, new string('x', 100));
        Assert.That(Assert.Throws<FormatException>(() => Checkpoint.SeedIn(_folder))!.Message, Does.Contain(path));
    }

    [TestCase("step", "many")]
    [TestCase("step", "99999999999999999999")]
    [TestCase("step", null)]
    [TestCase("best", "none")]
    [TestCase("history", "{")]
    [TestCase("history", "null")]
    [TestCase("history", null)]
    public void DamagedFigures_AreAnErrorThatNamesTheFile(string name, string? value)
    {
        using var data = new DrawnDataset(4);
        TrainingOptions options = TinyRun.Options(1) with { CheckpointDirectory = _folder };
        using FasterRcnn student = TinyRun.Detector();
        TinyRun.Train(options, data, student: student);
        string path = Path.Combine(_folder, Checkpoint.FileName);
        using (var scope = TorchSharp.torch.NewDisposeScope())
        {
            Dictionary<string, TorchSharp.torch.Tensor> tensors;
            Dictionary<string, string> metadata;
            using (var file = (SafetensorsFile)WeightsFile.Open(path))
            {
                tensors = file.Tensors.Keys.ToDictionary(key => key, file.Read);
                metadata = new Dictionary<string, string>(file.Metadata);
            }

            if (value is null) metadata.Remove(name);
            else metadata[name] = value;
            SafetensorsFile.Write(path, tensors, metadata);
        }

        Assert.That(() => TinyRun.Train(options, data, student: student), Throws.TypeOf<FormatException>().With.Message.Contains(path));
    }

    [Test]
    public void Tensors_SurviveTheFile()
    {
        using var scope = TorchSharp.torch.NewDisposeScope();
        var tensors = new Dictionary<string, TorchSharp.torch.Tensor>
        {
            ["matrix"] = TorchSharp.torch.randn(3, 4).t(),
            ["scalar"] = TorchSharp.torch.tensor(7L),
            ["empty"] = TorchSharp.torch.zeros(0, 4),
        };
        string path = Path.Combine(_folder, "tensors");
        SafetensorsFile.Write(path, tensors, new Dictionary<string, string> { ["key"] = "välue" });
        using var file = (SafetensorsFile)WeightsFile.Open(path);
        Assert.That(file.Metadata, Is.EqualTo(new Dictionary<string, string> { ["key"] = "välue" }));
        foreach ((string name, TorchSharp.torch.Tensor tensor) in tensors) Assert.That(file.Read(name).Equals(tensor), name);
        Assert.That(Directory.GetFiles(_folder), Has.Length.EqualTo(1));
    }

    /// <summary>A data set of which one reading fails, once.</summary>
    private sealed class BreakingDataset(DrawnDataset images) : IDetectionDataset
    {
        private int _reads;

        /// <summary>The number of the reading that fails, from 1.</summary>
        public required int BrokenRead { get; init; }

        public int Count => images.Count;

        public IReadOnlyList<string> ClassNames => images.ClassNames;

        public ImageSize SizeOf(int index) => images.SizeOf(index);

        public Annotation AnnotationOf(int index) => images.AnnotationOf(index);

        public RgbImage? TryRead(int index)
            => Interlocked.Increment(ref _reads) == BrokenRead ? throw new InvalidDataException("This one.") : images.TryRead(index);

        public void Dispose()
        {
        }
    }
}
