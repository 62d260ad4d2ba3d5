using Microsoft.ML.Distillation.Detectors;
using Microsoft.ML.Distillation.Detectors.Quantization;
using Microsoft.ML.Distillation.Estimators;
using Microsoft.ML.Distillation.Onnx;
using Microsoft.ML.Distillation.Training;
using TorchSharp;

namespace Microsoft.ML.Distillation.Tests.Training;

public class LowPrecisionTrainingTests
{
    [Test]
    public void LowPrecision_Learns_Alone([Values("w8a8", "w4a8", "w2")] string name, [Values] QuantizerKind kind)
    {
        using var data = new DrawnDataset(8);
        using FasterRcnn student = TinyRun.Detector();
        student.LowerPrecision(LowPrecision.Parse(name) with { Quantizer = kind });
        TrainingResult result = TinyRun.Train(TinyRun.Options(10), data, student: student);
        Assert.That(result.History[^1].Loss, Is.LessThan(0.85 * result.History[0].Loss));
        OnnxModelFile model = DetectorFile.Export(student);
        Assert.That(ExportCheck.Run(student, model, data).Detections, Is.GreaterThan(0));
    }

    [Test]
    public void Checkpoints_AreOfOnePrecision()
    {
        using var folder = new TemporaryFolder();
        using var data = new DrawnDataset(8);
        TrainingOptions options = TinyRun.Options(2) with { CheckpointDirectory = folder.Path };
        using (FasterRcnn student = TinyRun.Detector())
        {
            student.LowerPrecision(LowPrecision.W8A8);
            TinyRun.Train(options, data, student: student);
        }

        using FasterRcnn other = TinyRun.Detector();
        other.LowerPrecision(LowPrecision.W4A8);
        Assert.That(() => TinyRun.Train(options, data, student: other), Throws.InvalidOperationException.With.Message.Contains("detector"));
    }

    [Test]
    public void Interrupted_EndsWhereTheUninterruptedRunEnds()
    {
        using var folder = new TemporaryFolder();
        using var data = new DrawnDataset(8);
        float[] whole = Run(TinyRun.Options(4), null);
        using var cancel = new CancellationTokenSource();
        Run(TinyRun.Options(4) with { CheckpointDirectory = folder.Path }, cancel);
        Assert.That(Run(TinyRun.Options(4) with { CheckpointDirectory = folder.Path }, null), Is.EqualTo(whole));

        float[] Run(TrainingOptions options, CancellationTokenSource? stop)
        {
            using FasterRcnn student = TinyRun.Detector();
            student.LowerPrecision(LowPrecision.W4A8);
            var reports = new Reports(report =>
            {
                if (report is { Epoch: 3, EpochEnd: false }) stop?.Cancel();
            });
            TinyRun.Train(options with { Progress = reports, CancellationToken = stop?.Token ?? default }, data, student: student);
            return [.. TrainingLoopTests.Values(student), .. LowPrecisionLayers.In(student)
                .SelectMany(l => l.Layer.Quantizer!.Range.data<float>().ToArray())];
        }
    }

    [Test]
    public void Memory_StaysFlat()
    {
        using var data = new DrawnDataset(8);
        var live = new List<long>();
        var reports = new Reports(report =>
        {
            if (report.EpochEnd) live.Add(DisposeScopeManager.Statistics.ThreadTotalLiveCount + 4 * report.Epoch);
        });
        using FasterRcnn student = TinyRun.Detector();
        student.LowerPrecision(LowPrecision.W4A8);
        TinyRun.Train(TinyRun.Options(5) with { Progress = reports }, data, data, student);
        Assert.That(live.Skip(2), Is.All.EqualTo(live[1]));
    }
}
