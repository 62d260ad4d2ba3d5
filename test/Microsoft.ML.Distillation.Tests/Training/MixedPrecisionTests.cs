using Microsoft.ML.Distillation.Detectors;
using Microsoft.ML.Distillation.Detectors.Backbones;
using Microsoft.ML.Distillation.Teachers;
using Microsoft.ML.Distillation.Training;
using TorchSharp;
using static TorchSharp.torch;

namespace Microsoft.ML.Distillation.Tests.Training;

/// <summary>Training whose layers compute in bfloat16.</summary>
public class MixedPrecisionTests
{
    private static readonly LossSelection EveryFeatureLoss = TinyRun.Losses(
        new SoftClasses(), new BoundedBoxes(), new ClassRelations(), new Hint(),
        new PearsonFeatures { Weight = 1 }, new ChannelWise { Weight = 1 }, new MaskedGeneration { Weight = 1e-5 });

    [Test]
    public void TwoStage_LossCurveIsThatOfSinglePrecision() => AssertAlike(mixed => TrainTwoStage(mixed, distilled: false));

    [Test]
    public void TwoStageUnderATeacher_LossCurveIsThatOfSinglePrecision() => AssertAlike(mixed => TrainTwoStage(mixed, distilled: true));

    [Test]
    public void OneStage_LossCurveIsThatOfSinglePrecision() => AssertAlike(mixed =>
    {
        using var data = new DrawnDataset(24);
        using OneStageDetector student = OneStageRun.Detector();
        return Losses(OneStageRun.Train(Options(mixed), data, student));
    });

    [Test]
    public void WeightsStatisticsAndAnswers_StayInSinglePrecision()
    {
        using var data = new DrawnDataset(8);
        TrainingResult result = TinyRun.Train(Options(mixed: true) with { Epochs = 1 }, data);
        using Detector student = result.Detector;
        Assert.That(student.state_dict().Values.Select(value => value.dtype).Where(type => type != ScalarType.Int64),
            Is.All.EqualTo(ScalarType.Float32));

        using var scope = NewDisposeScope();
        var detector = (FasterRcnn)student;
        IReadOnlyDictionary<string, Tensor> features = detector.Features(rand(1, 3, 64, 80).to_type(ScalarType.BFloat16));
        RpnOutput rpn = detector.Rpn(features);
        HeadOutput head = detector.Head(features, detector.Propose(rpn, training: false));
        Assert.That(features.Values.Select(map => map.dtype), Is.All.EqualTo(ScalarType.BFloat16));
        Assert.That(((Tensor[])[rpn.Objectness, rpn.Deltas, head.ClassLogits, head.Deltas]).Select(answer => answer.dtype),
            Is.All.EqualTo(ScalarType.Float32));
    }

    /// <summary>
    /// The limits are half as much again as what autocast of torch 1.13 deviates by on torchvision's networks of the same random weights
    /// and sizes: .296 in ShuffleNetV2's stage4, .049 in ResNet-18's layer4, .045 in MobileNetV3-Small's features.9.
    /// </summary>
    [TestCase("shufflenet", 0.44)]
    [TestCase("resnet18", 0.075)]
    [TestCase("mobilenet", 0.07)]
    [TestCase("alexnet", 0.03)]
    [TestCase("plain", 0.03)]
    public void Backbone_DeviatesNoMoreThanAutocast(string name, double limit)
    {
        Backbone backbone = name switch
        {
            "shufflenet" => Backbone.ShuffleNetV2_x0_5,
            "resnet18" => Backbone.ResNet18,
            "mobilenet" => Backbone.MobileNetV3Small,
            "alexnet" => Backbone.AlexNet,
            _ => Backbone.Plain(8, 16),
        };
        manual_seed(3);
        using var scope = NewDisposeScope();
        using IDisposable noGradients = no_grad();
        using BackboneNetwork network = BackboneNetwork.Create(backbone, 16);
        Tensor images = rand(4, 3, 128, 128);
        IReadOnlyList<Tensor> single = network.Run(images), mixed = network.Run(images.to_type(ScalarType.BFloat16));
        for (int i = 0; i < single.Count; i++)
        {
            double error = (mixed[i].to_type(ScalarType.Float32) - single[i]).norm().ToDouble() / single[i].norm().ToDouble();
            Assert.That(mixed[i].dtype, Is.EqualTo(ScalarType.BFloat16));
            Assert.That(error, Is.LessThan(limit), $"map {i}");
        }
    }

    [Test]
    public void StudentsOfLowPrecision_AreRefused()
    {
        var options = new TrainDetectorOptions { MixedPrecision = true, Precision = LowPrecision.W4A8 };
        Assert.That(options.Validate, Throws.ArgumentException.With.Message
            .Contains(nameof(TrainDetectorOptions.MixedPrecision)).And.Message.Contains(nameof(TrainDetectorOptions.Precision)));
    }

    /// <summary>bfloat16 keeps 8 bits, so single steps differ by some per mille; means over an epoch differ by less than the tolerance, and
    /// the loss falls as far.</summary>
    private static void AssertAlike(Func<bool, double[]> train)
    {
        double[] single = train(false), mixed = train(true);
        Assert.That(mixed, Is.Not.EqualTo(single), "the option changes the arithmetic");
        Assert.That(mixed.Zip(single, (m, s) => Math.Abs(m - s) / s), Is.All.LessThan(0.05),
            $"{string.Join(' ', single)} and {string.Join(' ', mixed)}");
        Assert.That(mixed[^1], Is.LessThan(mixed[0]));
    }

    private static double[] TrainTwoStage(bool mixed, bool distilled)
    {
        using var data = new DrawnDataset(24);
        using TwoStageTeacher? teacher = distilled ? TinyRun.Teacher() : null;
        return Losses(TinyRun.Train(Options(mixed), data, teacher: teacher, losses: distilled ? EveryFeatureLoss : null));
    }

    private static TrainingOptions Options(bool mixed) => TinyRun.Options(epochs: 5) with { MixedPrecision = mixed, LearningRate = 0.001 };

    private static double[] Losses(TrainingResult result)
    {
        result.Detector.Dispose();
        return [.. result.History.Select(epoch => epoch.Loss)];
    }
}
