using Microsoft.ML.Distillation.Data;
using Microsoft.ML.Distillation.Detectors;
using Microsoft.ML.Distillation.Detectors.Boxes;
using Microsoft.ML.Distillation.Detectors.Quantization;
using Microsoft.ML.Distillation.Estimators;
using Microsoft.ML.Distillation.Onnx;
using Microsoft.ML.Distillation.Teachers;
using Microsoft.ML.Distillation.Teachers.Dense;
using Microsoft.ML.Distillation.Tests.Detectors.Graphs;
using Microsoft.ML.Distillation.Tests.Training;
using Microsoft.ML.Distillation.Training;
using TorchSharp;
using static TorchSharp.torch;

namespace Microsoft.ML.Distillation.Tests.Detectors.Backbones;

/// <summary>What everything of this library makes of a backbone of an ONNX graph.</summary>
public class OnnxBackboneUseTests
{
    [TestCase("single map")]
    [TestCase("pyramid")]
    [TestCase("one-stage")]
    public void Detectors_Train_AndTheirExportsAnswerAsTheyDo(string family)
    {
        using var trunk = new TrunkFile();
        using var data = new DrawnDataset(8);
        Detector student = Build(family, trunk, data);
        Dictionary<string, float[]> before = Values(student);
        TrainingResult result = Train(student, data, TinyRun.Options(2));
        Assert.That(result.History[^1].Losses.Values, Is.All.Not.NaN);
        Dictionary<string, float[]> after = Values(result.Detector);
        string[] moved = [.. after.Keys.Where(name => name.StartsWith("backbone.", StringComparison.Ordinal)
            && !name.EndsWith("num_batches_tracked", StringComparison.Ordinal))];
        Assert.That(moved, Has.Some.EndsWith("running_var").And.Some.EndsWith(".weight"));
        foreach (string name in moved) Assert.That(after[name], Is.Not.EqualTo(before[name]), name);
        Assert.That(ExportCheck.Run(result.Detector, DetectorFile.Export(result.Detector), data).Holds);
        result.Detector.Dispose();
    }

    [Test]
    public void ItsMaps_AreHintsByTheirNames_OfStudentAndTeacher()
    {
        using var trunk = new TrunkFile();
        using var data = new DrawnDataset(8);
        using var student = (FasterRcnn)Build("pyramid", trunk, data);
        using var teacher = new TwoStageTeacher((FasterRcnn)Build("single map", trunk, data), data.ClassNames, CPU);
        Assert.That(teacher.Abilities.FeatureMaps.Select(map => map.Name), Is.EqualTo(TrunkFile.Maps(3, 4)));
        LossSelection losses = TinyRun.Losses(new SoftClasses(), new Hint());
        TrainingResult result = TinyRun.Train(TinyRun.Options(1), data, null, student, teacher,
            losses with { Hints = [new HintPair("/layer3/out", "/layer4/out")] });
        Assert.That(result.History[0].Losses.Keys, Has.Some.Contains("hint"));
        losses = losses with { Hints = [new HintPair("/layer9/out", "/layer4/out")] };
        Assert.That(() => TinyRun.Train(TinyRun.Options(1), data, null, student, teacher, losses),
            Throws.ArgumentException.With.Message.Contains("/layer9/out").And.Message.Contains("/layer3/out"));
    }

    [Test]
    public void AOneStageDetector_TeachesByItsMaps()
    {
        using var trunk = new TrunkFile(folded: true);
        using var data = new DrawnDataset(8);
        using var student = (FasterRcnn)Build("single map", trunk, data);
        using var teacher = new OneStageTeacher((OneStageDetector)Build("one-stage", trunk, data), data.ClassNames, CPU);
        LossSelection losses = TinyRun.Losses(new SoftClasses(), new Hint()) with { Hints = [new HintPair("/layer4/out", "/layer3/out")] };
        TrainingResult result = TinyRun.Train(TinyRun.Options(1), data, null, student, teacher, losses);
        Assert.That(result.History[0].Losses.Keys, Has.Some.Contains("hint").And.Some.Contains("class.soft"));
    }

    [Test]
    public void AResumedRun_EqualsTheUninterruptedOne_WithoutTheFile()
    {
        using var folder = new TemporaryFolder();
        using var data = new DrawnDataset(8);
        using var trunk = new TrunkFile();
        using var other = new TrunkFile();
        TrainingOptions options = TinyRun.Options(3) with { EmaDecay = 0.9 }, saving = options with { CheckpointDirectory = folder.Path };
        float[] whole = Run(options, trunk);

        using var cancel = new CancellationTokenSource();
        var interrupting = new Training.Reports(report =>
        {
            if (report is { Epoch: 3, EpochEnd: false }) cancel.Cancel();
        });
        Run(saving with { Progress = interrupting, CancellationToken = cancel.Token }, trunk);
        // The same graph from elsewhere: the place of a file is no setting.
        Assert.That(Run(saving, other), Is.EqualTo(whole));
        using var folded = new TrunkFile(folded: true);
        Assert.That(Assert.Throws<InvalidOperationException>(() => Run(saving, folded))!.Message,
            Does.Contain("detector").And.Length.LessThan(3000));

        float[] Run(TrainingOptions with, TrunkFile from)
        {
            using var student = (FasterRcnn)Build("pyramid", from, data);
            TinyRun.Train(with, data, data, student);
            return TrainingLoopTests.Values(student);
        }
    }

    [Test]
    public void FullRanks_LeaveTheOutputAsItWas_AndFewerCostLess()
    {
        using DisposeScope scope = NewDisposeScope();
        using IDisposable frozen = no_grad();
        using var trunk = new TrunkFile();
        using var data = new DrawnDataset(8);
        using var whole = (FasterRcnn)Build("single map", trunk, data);
        CompressibleLayers layers = CompressibleLayers.Of(whole);
        var ranks = layers.Backbone.ToDictionary(layer => layer.Name, layer => (IReadOnlyList<int>)layer.FullRanks);
        Assert.That(ranks, Has.Count.EqualTo(8), "every convolution of four stages");
        using FasterRcnn full = DetectorCompressor.Compress(whole, new() { Ranks = ranks });
        full.eval();
        whole.eval();
        Tensor images = TestDetectors.Images(whole, 1), expected = whole.Features(images)["/layer4/out"];
        Tensor difference = full.Features(images)["/layer4/out"] - expected;
        Assert.That((difference.abs().max() / expected.abs().max()).item<float>(), Is.LessThan(1e-4));

        CompressionReport? report = null;
        Backbone half = trunk.Backbone(3, 4) with { Compression = new() { FlopsShare = 0.5, Report = made => report = made } };
        using FasterRcnn small = TestDetectors.Build(half);
        Assert.That(report!.FlopsShare, Is.InRange(0.4, 0.5));
        Assert.That(report.Layers.Select(layer => layer.Error), Is.All.InRange(1e-6, 0.999), "the graph's own weights are taken apart");
        using Detector again = DetectorFile.Load(DetectorFile.Export(small));
        Assert.That(again.state_dict().Keys, Is.EqualTo(small.state_dict().Keys));
    }

    [TestCase(false)]
    [TestCase(true)]
    public void LowPrecision_IsExportedAndLoadsBack(bool folded)
    {
        using var trunk = new TrunkFile(folded);
        using var data = new DrawnDataset(8);
        Detector student = Build("pyramid", trunk, data);
        student.LowerPrecision(LowPrecision.W8A8);
        string[] rounded = [.. LowPrecisionLayers.In(student).Select(layer => layer.Name).Where(name => name.Contains("backbone"))];
        Assert.That(rounded, Has.Length.EqualTo(7), "all but the first of eight convolutions");
        TrainingResult result = Train(student, data, TinyRun.Options(2));
        OnnxModelFile export = DetectorFile.Export(result.Detector);
        Assert.That(ExportCheck.Run(result.Detector, export, data).Holds);
        using Detector again = DetectorFile.Load(OnnxModelFile.Parse(export.ToBytes(), "export"));
        Assert.That(again.Precision, Is.EqualTo(result.Detector.Precision));
        foreach ((string name, OnnxIntegers integers) in export.Integers())
            Assert.That(DetectorFile.Export(again).Integers()[name].Values, Is.EqualTo(integers.Values), name);
        result.Detector.Dispose();
    }

    /// <summary>A student of stages 3 and 4 of a trunk; of the first four convolutions.</summary>
    private static Detector Build(string family, TrunkFile trunk, DrawnDataset data)
    {
        manual_seed(1);
        Backbone backbone = trunk.Backbone(3, 4);
        DetectorPlan plan = family switch
        {
            "one-stage" => DetectorPlan.OneStage(backbone, 64, new OneStageOptions { Channels = 16, HeadLayers = 1 }),
            "pyramid" => DetectorPlan.FasterRcnn(backbone with { FpnChannels = 16 }, 64),
            _ => DetectorPlan.FasterRcnn(backbone with { OutputStride = 16 }, 64),
        };
        return plan.Build(DataStatistics.Of(data));
    }

    private static TrainingResult Train(Detector student, DrawnDataset data, TrainingOptions options)
    {
        using IObjective objective = student is FasterRcnn twoStage
            ? new TwoStageObjective(twoStage, options.SquaredRegressionWeight, null, null, CPU)
            : new OneStageObjective((OneStageDetector)student, 0, null, null, CPU);
        return new TrainingLoop([(objective, options)], null, data, null, CPU).Run()[0];
    }

    private static Dictionary<string, float[]> Values(Detector detector)
        => detector.state_dict().Where(entry => entry.Value.dtype == ScalarType.Float32)
            .ToDictionary(entry => entry.Key, entry => TensorArrays.Floats(entry.Value));
}
