using Microsoft.ML.Distillation.Data;
using Microsoft.ML.Distillation.Detectors;
using Microsoft.ML.Distillation.Detectors.Weights;
using Microsoft.ML.Distillation.Tensors;
using Microsoft.ML.Distillation.Tests.Detectors.Backbones;

namespace Microsoft.ML.Distillation.Tests.Detectors;

public class ClassicDetectorTests
{
    private static readonly DataStatistics TwentyClasses = TestDetectors.Statistics with
    {
        ClassNames = [.. Enumerable.Range(1, 20).Select(i => $"class {i}")],
    };

    private static readonly FasterRcnnOptions AsInThePaper = new()
    {
        AnchorSizes = [128, 256, 512],
        AnchorRatios = [.5f, 1, 2],
        RoiPooling = RoiPoolingKind.Max,
        ClassAgnosticBoxes = false,
    };

    /// <summary>
    /// The paper gives 62, 80 and 138 million. Those of AlexNet (61.1 with torchvision's widths, 62.4 with the first version's) and
    /// VGG16 (138.4) count the classification layer of 1000 classes, 4.1 million, in whose place the detector has the predictors
    /// of 21 classes and the RPN, 1.0 and 1.6 million. Of VGG-M the two fully connected layers alone have 79.7 million, so 80 million
    /// cannot be the whole of it.
    /// </summary>
    [TestCase(BackboneKind.AlexNet, 58.0, 61.1)]
    [TestCase(BackboneKind.VggM, 87.5, 87.3)]
    [TestCase(BackboneKind.Vgg16, 135.9, 138.4)]
    public void ParameterCount_IsTheClassicNetworks(BackboneKind kind, double detectorMillions, double classifierMillions)
    {
        Backbone backbone = new[] { Backbone.AlexNet, Backbone.VggM, Backbone.Vgg16 }.Single(b => b.Kind == kind);
        using var detector = (FasterRcnn)DetectorPlan.FasterRcnn(backbone, 320, AsInThePaper).Build(TwentyClasses);
        double count = detector.parameters().Sum(p => p.NumberOfElements) / 1e6;
        Assert.That(count, Is.EqualTo(detectorMillions).Within(0.1));

        double classes = 1000 * (1 + detector.Config.HeadWidths[^1]) / 1e6;
        double others = detector.named_parameters()
            .Where(p => p.name.StartsWith("rpn.", StringComparison.Ordinal) || p.name.Contains('_'))
            .Sum(p => p.parameter.NumberOfElements) / 1e6;
        Assert.That(count - others + classes, Is.EqualTo(classifierMillions).Within(0.1), "as a classifier of ImageNet");

        Assert.That(detector.Config.OutputStride, Is.GreaterThanOrEqualTo(16));
        Assert.That(detector.Anchors.shape[0], Is.EqualTo(20 * 15 * 9), "anchors at stride 16");
        if (kind == BackboneKind.VggM) return;
        WeightsMismatchException? mismatch = BackboneParameters
            .Mismatch(backbone, "file", CheckpointNamesTests.Of(kind), FasterRcnnPlan.Parameters(detector));
        Assert.That(mismatch?.Message, Is.Null);
        Assert.That(FasterRcnnPlan.Parameters(detector),
            Contains.Key(kind == BackboneKind.AlexNet ? "classifier.4.weight" : "classifier.3.weight"));
    }
}
