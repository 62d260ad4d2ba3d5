using Microsoft.ML.Distillation.Detectors;
using Microsoft.ML.Distillation.Detectors.Quantization;
using Microsoft.ML.Distillation.Tensors;
using Microsoft.ML.Distillation.Tests.Detectors;
using Microsoft.ML.Distillation.Tests.Training;
using TorchSharp;
using static TorchSharp.torch;

namespace Microsoft.ML.Distillation.Tests.Tensors;

/// <summary>
/// That a network's constants go where the network goes, for which no GPU is needed: the device "meta" has shapes without values, and like
/// a GPU it does not compute with tensors of another device.
/// </summary>
public class ConstantTests
{
    private static readonly Device Elsewhere = new(DeviceType.META);

    [Test]
    public void Constants_GoWhereTheyAreAskedFor()
    {
        using var constant = new Constant(tensor([1f, 2, 3]));
        Assert.That(constant.On(Elsewhere).device.type, Is.EqualTo(DeviceType.META));
        using var stays = new Constant(tensor([1f, 2, 3]));
        Tensor first = stays.On(CPU), again = stays.On(CPU);
        Assert.That(again, Is.SameAs(first), "no copy where it is there already");
        using var network = new Owner(stays);
        Assert.That(network.state_dict(), Is.Empty, "it is not saved");
    }

    [Test]
    public void Constants_OutliveTheScopeThatMadeThem_AndEndWithTheirNetwork()
    {
        Constant constant;
        Tensor values;
        using (NewDisposeScope())
        {
            constant = new Constant(tensor([1f, 2, 3]));
            values = constant.On(CPU);
        }

        using var network = new Owner(constant);
        Assert.That(values.IsInvalid, Is.False);
        network.Dispose();
        Assert.That(values.IsInvalid, Is.True);
    }

    [Test]
    public void TwoStageNetworks_TakeTheirConstantsAlong()
    {
        using DisposeScope scope = NewDisposeScope();
        using FasterRcnn detector = TestDetectors.Build(Backbone.Plain(8, 16, 24, 32));
        using var normalisation = new PixelNormalisation();
        detector.to(Elsewhere);
        Assert.That(detector.Anchors.device.type, Is.EqualTo(DeviceType.META));
        Assert.That(FasterRcnn.RpnCoder.Decode(zeros(1, detector.Anchors.shape[0], 4, device: Elsewhere), detector.Anchors).device.type,
            Is.EqualTo(DeviceType.META));
        Assert.That(normalisation.Run(zeros(1, 3, 8, 8, device: Elsewhere)).device.type, Is.EqualTo(DeviceType.META));
    }

    [Test]
    public void OneStageNetworks_TakeTheirConstantsAlong()
    {
        using DisposeScope scope = NewDisposeScope();
        using OneStageDetector detector = OneStageRun.Detector();
        detector.to(Elsewhere);
        Tensor boxes = detector.Coder.Decode(zeros(1, detector.Grid.Count, 4, detector.Coder.Bins, device: Elsewhere));
        Assert.That(boxes.device.type, Is.EqualTo(DeviceType.META));
    }

    [Test]
    public void Layers_ComputeWithTheWeightsThatWereMoved()
    {
        using DisposeScope scope = NewDisposeScope();
        using FasterRcnn detector = TestDetectors.Build(Backbone.ResNet18 with { FpnChannels = 16 });
        detector.LowerPrecision(LowPrecision.W8A8);
        detector.to(Elsewhere);
        ILowPrecisionLayer[] layers =
            [.. detector.named_modules().Select(m => m.module).OfType<ILowPrecisionLayer>().Where(layer => layer.IsWhole)];
        Assert.That(layers, Has.Length.GreaterThan(20));
        foreach (ILowPrecisionLayer layer in layers)
        {
            Tensor?[] held = [layer.Weight, layer.Bias, layer.Quantizer?.Range, layer.Norm?.weight, layer.Norm?.running_mean];
            Assert.That(held.OfType<Tensor>().Select(tensor => tensor.device.type), Is.All.EqualTo(DeviceType.META));
        }
    }

    private sealed class Owner : nn.Module
    {
        private readonly Constant _constant;

        public Owner(Constant constant)
            : base(nameof(Owner))
        {
            _constant = constant;
            RegisterComponents();
        }
    }
}
