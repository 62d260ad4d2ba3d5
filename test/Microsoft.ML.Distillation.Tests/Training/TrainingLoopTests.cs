using Microsoft.ML.Distillation.Data;
using Microsoft.ML.Distillation.Detectors;
using Microsoft.ML.Distillation.Images;
using Microsoft.ML.Distillation.Rows;
using Microsoft.ML.Distillation.Training;
using TorchSharp;
using static TorchSharp.torch;

namespace Microsoft.ML.Distillation.Tests.Training;

public class TrainingLoopTests
{
    [Test]
    public void TinyDetector_LearnsDrawnImages()
    {
        using var data = new DrawnDataset(16);
        using FasterRcnn student = TinyRun.Detector();
        TrainingResult result = TinyRun.Train(TinyRun.Options(30) with { ValidationEvery = 10 }, data, data, student);
        Assert.That(result.History[^1].Loss, Is.LessThan(0.5 * result.History[0].Loss));
        Assert.That(result.BestAp, Is.GreaterThan(0.25));
        Assert.That(result.History[^1].ValidationAp50, Is.GreaterThan(0.6));
        Assert.That(result.Detector.training, Is.False);
        Assert.That(result.Cancelled, Is.False);
    }

    [Test]
    public void SameSeed_GivesTheSameModel_AndAnotherSeedDoesNot()
    {
        using var data = new DrawnDataset(10);
        float[] first = Weights(TinyRun.Options(2)), second = Weights(TinyRun.Options(2)),
        other = Weights(TinyRun.Options(2) with { Seed = 6 });
        Assert.That(second, Is.EqualTo(first));
        Assert.That(other, Is.Not.EqualTo(first));

        float[] Weights(TrainingOptions options)
        {
            using FasterRcnn student = TinyRun.Detector();
            TinyRun.Train(options, data, student: student);
            return Values(student);
        }
    }

    [Test]
    public void Sgd_Learns()
    {
        using var data = new DrawnDataset(8);
        using FasterRcnn student = TinyRun.Detector();
        TrainingOptions options = TinyRun
            .Options(12) with
        { Optimizer = OptimizerKind.Sgd, LearningRate = 0.02, Schedule = LearningRateSchedule.Step };
        TrainingResult result = TinyRun.Train(options, data, student: student);
        Assert.That(result.History[^1].Loss, Is.LessThan(0.7 * result.History[0].Loss));
    }

    [Test]
    public void AccumulatedBatches_MakeOneStep_OfTheirMean()
    {
        TrainingOptions options = TinyRun.Options(1) with
        {
            Optimizer = OptimizerKind.Sgd,
            Momentum = 0,
            WeightDecay = 0,
            GradientClip = 0,
            WarmupSteps = 0,
            BatchSize = 2,
            Augmentation = AugmentationOptions.None,
        };
        // Of two batches of the same images the mean is each one's.
        (float[] one, int steps, double loss) = Weights(options, copies: 2);
        (float[] both, int stepsOfBoth, double lossOfBoth) = Weights(options with { AccumulatedBatches = 2 }, copies: 4);
        (float[] apart, int stepsApart, _) = Weights(options, copies: 4);
        Assert.That((steps, stepsOfBoth, stepsApart), Is.EqualTo((1, 1, 2)));
        Assert.That(both, Is.EqualTo(one).Within(1e-6f));
        Assert.That(apart, Is.Not.EqualTo(one).Within(1e-6f), "two steps, and not one");
        Assert.That(lossOfBoth, Is.EqualTo(loss).Within(1e-5));

        static (float[] Weights, int Steps, double Loss) Weights(TrainingOptions options, int copies)
        {
            using var data = new DrawnDataset(1) { Copies = copies };
            using OneStageDetector student = OneStageRun.Detector();
            int steps = 0;
            var reports = new Reports(report => steps = report.Step);
            TrainingResult result = OneStageRun.Train(options with { Progress = reports }, data, student);
            // Running statistics see each batch.
            float[] weights = [.. student.parameters().SelectMany(parameter => parameter.detach().data<float>().ToArray())];
            return (weights, steps, result.History[0].Loss);
        }
    }

    [Test]
    public void AccumulatedBatches_SetTheRate_AndTheSteps_AsALargeBatchDoes()
    {
        TrainingOptions large = TinyRun.Options() with { LearningRate = null, BatchSize = 8 };
        TrainingPlan wanted = TrainingPlan.For(large, images: 40, parameters: 1000);
        Assert.That(TrainingPlan.For(large with { BatchSize = 2, AccumulatedBatches = 4 }, 40, 1000), Is.EqualTo(wanted));
        Assert.That(TrainingPlan.For(large with { BatchSize = 2 }, 40, 1000), Is.Not.EqualTo(wanted));
    }

    [Test]
    public void ALossThatIsNotFinite_StopsTraining_WithStepAndTerm()
    {
        using var data = new DrawnDataset(12);
        using FasterRcnn student = TinyRun.Detector();
        var breaksAtStep2 = new Reports(report =>
        {
            if (report.Step != 1) return;
            using IDisposable frozen = no_grad();
            foreach ((string name, TorchSharp.Modules.Parameter parameter) in student.named_parameters())
            {
                if (name.StartsWith("head", StringComparison.Ordinal)) parameter.fill_(float.NaN);
            }
        });
        TrainingDivergedException? error = Assert.Throws<TrainingDivergedException>(
            () => TinyRun.Train(TinyRun.Options() with { Progress = breaksAtStep2 }, data, student: student));
        Assert.That(error!.Step, Is.EqualTo(2));
        Assert.That(error.Term, Does.StartWith("rcn."));
        Assert.That(error.Message, Does.Contain("step 2").And.Contains(error.Term).And.Contains("NaN"));
    }

    [Test]
    public void Cancellation_ReturnsTheBestSoFar()
    {
        using var data = new DrawnDataset(8);
        using FasterRcnn student = TinyRun.Detector();
        using var cancel = new CancellationTokenSource();
        float[] best = [];
        var reports = new Reports(report =>
        {
            if (report is { Epoch: 6, EpochEnd: true }) best = Values(student);
            if (report is { Epoch: 7, EpochEnd: false }) cancel.Cancel();
        });
        TrainingOptions options = TinyRun.Options(30) with { CancellationToken = cancel.Token, Progress = reports, ValidationEvery = 6 };
        TrainingResult result = TinyRun.Train(options, data, data, student);
        Assert.That(result.Cancelled);
        Assert.That(result.History, Has.Count.EqualTo(6));
        Assert.That(result.BestAp, Is.Not.Null);
        Assert.That(Values(student), Is.EqualTo(best));
    }

    [Test]
    public void Cancellation_WithoutValidation_ReturnsTheLastWeights()
    {
        using var data = new DrawnDataset(8);
        using FasterRcnn student = TinyRun.Detector();
        float[] initial = Values(student);
        using var cancel = new CancellationTokenSource();
        var reports = new Reports(_ => cancel.Cancel());
        TrainingResult result = TinyRun
            .Train(TinyRun.Options() with { CancellationToken = cancel.Token, Progress = reports }, data, student: student);
        Assert.That(result.Cancelled);
        Assert.That(result.History, Is.Empty);
        Assert.That(Values(student), Is.Not.EqualTo(initial));
    }

    [Test]
    public void Memory_StaysFlat_OverEpochs([Values] bool average)
    {
        using var data = new DrawnDataset(8);
        var live = new List<long>();
        var reports = new Reports(report =>
        {
            // The count is this thread's: each batch (2 to train on, 2 to validate) was made on another thread and disposed of here.
            if (report.EpochEnd) live.Add(DisposeScopeManager.Statistics.ThreadTotalLiveCount + 4 * report.Epoch);
        });
        using FasterRcnn student = TinyRun.Detector();
        TinyRun.Train(TinyRun.Options(6) with { Progress = reports, EmaDecay = average ? 0.9 : null }, data, data, student);
        Assert.That(live.Skip(2), Is.All.EqualTo(live[1]));
    }

    [Test]
    public void Average_IsValidated_AndReturned()
    {
        using var data = new DrawnDataset(12);
        using FasterRcnn plain = TinyRun.Detector(), averaged = TinyRun.Detector();
        TrainingResult without = TinyRun.Train(TinyRun.Options(8), data, student: plain);
        TrainingResult with = TinyRun.Train(TinyRun.Options(8) with { EmaDecay = 0.95 }, data, student: averaged);
        Assert.That(with.History.Select(epoch => epoch.Loss), Is.EqualTo(without.History.Select(epoch => epoch.Loss)),
            "the average does not touch training");
        Assert.That(Values(averaged), Is.Not.EqualTo(Values(plain)));
        Assert.That(averaged.state_dict().Where(entry => entry.Key.EndsWith("running_var", StringComparison.Ordinal))
            .All(entry => entry.Value.min().ToSingle() > 0));
    }

    [Test]
    public void Reports_NameTheTerms_AndSumToTheLoss()
    {
        using var data = new DrawnDataset(8);
        using FasterRcnn student = TinyRun.Detector();
        var reports = new Reports();
        TinyRun.Train(TinyRun.Options(2) with { Progress = reports, SquaredRegressionWeight = 0.5 }, data, data, student);
        Assert.That(reports.All, Has.Count.EqualTo(2 * (2 + 1)));
        TrainingProgress last = reports.All[^1];
        Assert.That(last.Losses.Keys, Is.EquivalentTo(
            ["rpn.class.hard", "rpn.box", "rpn.box.squared", "rcn.class.hard", "rcn.box", "rcn.box.squared"]));
        Assert.That(last.Shares.Values.Sum(), Is.EqualTo(1).Within(1e-9));
        Assert.That((last.Step, last.Steps, last.Epoch, last.Epochs), Is.EqualTo((4, 4, 2, 2)));
        Assert.That(last.ImagesPerSecond, Is.GreaterThan(0));
        Assert.That(last.ValidationAveragePrecision, Is.Not.Null);
    }

    [Test]
    public void ImagesWithoutObjects_Train()
    {
        using var data = new EmptyScenes();
        using FasterRcnn student = TinyRun.Detector();
        TrainingResult result = TinyRun.Train(TinyRun.Options(2), data, data, student);
        Assert.That(double.IsFinite(result.History[^1].Loss));
        Assert.That(result.BestAp, Is.Null);
    }

    internal static float[] Values(nn.Module module) =>
        [.. module.parameters().SelectMany(parameter => parameter.detach().data<float>().ToArray())];

    private sealed class EmptyScenes : IDetectionDataset
    {
        public int Count => 5;

        public IReadOnlyList<string> ClassNames => ["square", "disc"];

        public ImageSize SizeOf(int index) => new(40, 32);

        public Annotation AnnotationOf(int index) => Annotation.Empty;

        public RgbImage? TryRead(int index) => new(40, 32, new byte[3 * 40 * 32]);

        public void Dispose()
        {
        }
    }
}
