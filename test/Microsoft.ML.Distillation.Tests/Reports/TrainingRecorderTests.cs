using Microsoft.ML.Distillation.Estimators;
using Microsoft.ML.Distillation.Reports;
using Microsoft.ML.Distillation.Tensors;
using Microsoft.ML.Distillation.Tests.Training;
using Microsoft.ML.Distillation.Training;
using static TorchSharp.torch;

namespace Microsoft.ML.Distillation.Tests.Reports;

public class TrainingRecorderTests
{
    [Test]
    public void Record_HoldsEachStepsLosses_ThoughReportsGiveMeansOverTheEpoch()
    {
        // Two epochs of three steps; the term "a" is 3, 1, 2 and then 6, 0, 3. Reports say 3, 2, 2 and 6, 3, 3.
        var recorder = new TrainingRecorder(null);
        double[] means = [3, 2, 2, 6, 3, 3];
        for (int i = 0; i < means.Length; i++)
            recorder.Report(Progress(epoch: 1 + i / 3, step: i + 1, means[i]));
        recorder.Report(Progress(2, 6, 3) with { EpochEnd = true, ValidationAveragePrecision = .25, ValidationAveragePrecision50 = .5 });

        TrainingRecord record = RecordOf(recorder);
        Assert.That(record.Losses.Select(point => point.Losses[0]), Is.EqualTo(new double[] { 3, 1, 2, 6, 0, 3 }).Within(1e-9));
        Assert.That(record.Losses.Select(point => point.Step), Is.EqualTo(new[] { 1, 2, 3, 4, 5, 6 }));
        Assert.That(record.Validations.Single(), Is.EqualTo(new ValidationPoint(6, 2, .25, .5)));
        Assert.That(record.Settings["Seed"], Is.EqualTo("5"));
        Assert.That(record.Data.Single().Images, Is.EqualTo(20));
        Assert.That(record.Data.Single().ClassCounts.Sum(), Is.EqualTo(record.Data.Single().Objects));
    }

    [Test]
    public void EpochsBeforeAnInterruption_AreKnownByTheirMeans()
    {
        var recorder = new TrainingRecorder(null);
        for (int step = 11; step <= 15; step++) recorder.Report(Progress(3, step, 1));
        TrainingRecord record = RecordOf(recorder,
            [.. Enumerable.Range(1, 3).Select(epoch
            => new EpochSummary(epoch, new Dictionary<string, double> { ["a"] = 10 * epoch }, .1 * epoch, null))]);
        Assert.That(record.Losses.Select(point => (point.Step, point.Losses[0])),
            Is.EqualTo(new[] { (5, 10.0), (10, 20.0), (11, 1.0), (12, 1.0), (13, 1.0), (14, 1.0), (15, 1.0) }));
        Assert.That(record.Validations.Select(point => (point.Step, point.Epoch)), Is.EqualTo(new[] { (5, 1), (10, 2) }));
    }

    [Test]
    public void Record_ComesBackFromItsJson_AndStrangeOnesAreNone()
    {
        TrainingRecord record = ReportScenes.Training();
        TrainingRecord? read = TrainingRecord.In(new Dictionary<string, string> { [TrainingRecord.Key] = record.ToJson() });
        Assert.That(read!.Losses[3].Losses, Is.EqualTo(record.Losses[3].Losses));
        Assert.That(read.Settings, Is.EqualTo(record.Settings));
        Assert.That(TrainingRecord.In(new Dictionary<string, string> { [TrainingRecord.Key] = "{\"Other\":1}" }), Is.Null);
        Assert.That(TrainingRecord.In(new Dictionary<string, string>()), Is.Null);
    }

    private static TrainingProgress Progress(int epoch, int step, double mean) => new()
    {
        Epoch = epoch,
        Epochs = 3,
        Step = step,
        Steps = 15,
        LearningRate = .001,
        Losses = new Dictionary<string, double> { ["a"] = mean },
        ImagesPerSecond = 1,
    };

    private static TrainingRecord RecordOf(TrainingRecorder recorder, IReadOnlyList<EpochSummary>? history = null)
    {
        using var data = new DrawnDataset(20);
        using var objective = new TwoStageObjective(TinyRun.Detector(), 0, null, null, CPU);
        return recorder.ToRecord(TinyRun.Options(), objective, data, null, history ?? []);
    }
}
