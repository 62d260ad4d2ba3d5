using Microsoft.ML.Distillation.Detectors;
using Microsoft.ML.Distillation.Losses;
using Microsoft.ML.Distillation.Tests.Detectors;
using Microsoft.ML.Distillation.Tests.Detectors.OneStage;
using TorchSharp;
using static TorchSharp.torch;

namespace Microsoft.ML.Distillation.Tests.Tensors;

/// <summary>
/// Every network, head and loss on the device "meta", which has shapes without values: after a network has moved nothing that it holds
/// is left behind, and a constant of a loss that stays on the CPU is refused by element-wise operators, as on a GPU. libtorch without
/// Python convolves no such tensors, so that networks are looked through, not run.
/// </summary>
public class MetaDeviceTests
{
    private static readonly Device Elsewhere = new(DeviceType.META);

    private static readonly Dictionary<string, Backbone> Backbones = new()
    {
        ["Plain"] = Backbone.Plain(8, 16, 24, 32),
        ["ShuffleNetV2"] = Backbone.ShuffleNetV2_x0_5,
        ["ResNet18"] = Backbone.ResNet18,
        ["ResNet50"] = Backbone.ResNet50,
        ["MobileNetV3Small"] = Backbone.MobileNetV3Small,
        ["MobileNetV3Large"] = Backbone.MobileNetV3Large,
        ["ResNet18 FPN"] = Backbone.ResNet18 with { FpnChannels = 16 },
    };

    private static readonly Dictionary<string, Func<Tensor>> Losses = new()
    {
        ["smooth L1"] = () => BoxRegression.SmoothL1(Meta(5, 4), Meta(5, 4), 5),
        ["squared boxes"] = () => BoxRegression.Squared(Meta(5, 4), Meta(5, 4), 5, scale: 3),
        ["bounded boxes"] = () => TeacherBoundedRegression.Loss(Meta(5, 4), Meta(5, 4), Meta(5, 4), 5, margin: 0.1, scale: 3),
        ["bounded overlap"] = () => TeacherBoundedRegression.OverlapLoss(Meta(5, 4), Meta(5, 4), Meta(5, 4), Meta(5), 5, margin: 0.1),
        ["soft classes"] = () => WeightedSoftCrossEntropy.Loss(Meta(5, 4), Meta(5, 4), 1.5, temperature: 2),
        ["soft objectness"] = () => WeightedSoftCrossEntropy.BinaryLoss(Meta(5), Meta(5), 1.5, temperature: 2),
        ["quality focal"] = () => QualityFocalLoss.Loss(Meta(5, 3), Meta(5, 3), 5),
        ["distribution focal"] = () => DistributionFocalLoss.Loss(Meta(5, 4, 9), Meta(5, 4), Meta(5), 5),
        ["GIoU"] = () => GeneralizedIouLoss.Loss(Meta(5, 4), Meta(5, 4), Meta(5), 5),
        ["LD"] = () => LocalizationLoss.Loss(Meta(5, 4, 9), Meta(5, 4, 9), 10, Meta(5)),
        ["DIST"] = () => RelationLoss.Loss(Meta(5, 4), Meta(5, 4)),
        ["CrossKD classes"] = () => CrossHeadLoss.Classes(Meta(7, 3), Meta(7, 3), 2),
        ["CrossKD boxes"] = () => CrossHeadLoss.Boxes(Meta(7, 4, 9), Meta(7, 4, 9), Meta(7, 3)),
        ["hint"] = () => OnMaps(new HintLoss(4, 6)),
        ["CWD"] = () => OnMaps(new ChannelWiseLoss(4, 6)),
        ["PKD"] = () => OnMaps(new PearsonFeatureLoss(4, 6)),
        ["MGD"] = () => OnMaps(new MaskedGenerationLoss(4, 6, 0.5)),
    };

    private static IEnumerable<string> BackboneNames => Backbones.Keys;

    private static IEnumerable<string> LossNames => Losses.Keys;

    [TestCaseSource(nameof(BackboneNames))]
    public void TwoStageNetworks_HoldNothingElsewhere(string backbone)
    {
        using DisposeScope scope = NewDisposeScope();
        using FasterRcnn detector = TestDetectors.Build(Backbones[backbone], 64);
        detector.to(Elsewhere);
        Assert.That(StrayTensors.In(detector), Is.Empty);
        Assert.That(FasterRcnn.RpnCoder.Decode(Meta(1, detector.Anchors.shape[0], 4), detector.Anchors).device.type,
            Is.EqualTo(DeviceType.META));
    }

    [TestCaseSource(nameof(BackboneNames))]
    public void OneStageNetworks_HoldNothingElsewhere(string backbone)
    {
        using DisposeScope scope = NewDisposeScope();
        using OneStageDetector detector = OneStageDetectors.Build(Backbones[backbone] with { FpnChannels = null }, 64);
        detector.to(Elsewhere);
        Assert.That(StrayTensors.In(detector), Is.Empty);
        Assert.That(detector.Coder.Decode(Meta(1, detector.Grid.Count, 4, detector.Coder.Bins)).device.type, Is.EqualTo(DeviceType.META));
    }

    [Test]
    public void LowPrecisionNetworks_HoldNothingElsewhere()
    {
        using DisposeScope scope = NewDisposeScope();
        using FasterRcnn detector = TestDetectors.Build(Backbone.ResNet18 with { FpnChannels = 16 }, 64);
        detector.LowerPrecision(LowPrecision.W8A8);
        detector.to(Elsewhere);
        Assert.That(StrayTensors.In(detector), Is.Empty);
    }

    [Test]
    public void StrayTensors_AreFound()
    {
        using DisposeScope scope = NewDisposeScope();
        using var network = new Forgetful();
        network.to(Elsewhere);
        Assert.That(StrayTensors.In(network), Is.EquivalentTo(new[] { "Forgetful._scale", "Forgetful._more[1]" }));
    }

    [TestCaseSource(nameof(LossNames))]
    public void Losses_MixNoDevices(string name)
    {
        using DisposeScope scope = NewDisposeScope();
        try
        {
            Assert.That(Losses[name]().device.type, Is.EqualTo(DeviceType.META));
        }
        catch (System.Runtime.InteropServices.ExternalException error) when (LacksKernel(error))
        {
            // libtorch without Python has no shapes for this operator; up to it all was there.
        }
    }

    private static bool LacksKernel(Exception error)
        => error.Message.Contains("no fake impl or Meta kernel registered", StringComparison.Ordinal)
        || error.Message.Contains("convolution_overrideable not implemented", StringComparison.Ordinal);

    private static Tensor Meta(params long[] shape) => zeros(shape, device: Elsewhere);

    private static Tensor OnMaps(nn.Module<Tensor, Tensor, Tensor> loss)
    {
        using (loss) return loss.to(Elsewhere).call(Meta(2, 4, 6, 8), Meta(2, 6, 5, 7));
    }

    /// <summary>A network that keeps tensors where moving does not find them.</summary>
    private sealed class Forgetful : nn.Module
    {
        private readonly Tensor _scale = ones(1);
        private readonly object[] _more = ["no tensor", zeros(2), zeros(2, device: Elsewhere)];

        public Forgetful()
            : base(nameof(Forgetful))
        {
        }

        public Tensor First => _scale.mul((Tensor)_more[1]);
    }
}
