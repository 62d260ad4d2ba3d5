using Microsoft.ML.Distillation.Detectors;
using Microsoft.ML.Distillation.Teachers;
using Microsoft.ML.Distillation.Tests.Detectors;
using TorchSharp;
using static TorchSharp.torch;

namespace Microsoft.ML.Distillation.Tests.Teachers;

public class FeatureSessionTests
{
    private static IEnumerable<TestCaseData> Plans()
    {
        yield return new TestCaseData(DetectorPlan.FasterRcnn(Backbone.ResNet18 with { FpnChannels = 32 }, 96))
            .SetArgDisplayNames("pyramid");
        yield return new TestCaseData(DetectorPlan.FasterRcnn(Backbone.MobileNetV3Small, 96)).SetArgDisplayNames("depthwise");
        yield return new TestCaseData(DetectorPlan.OneStage(Backbone.ShuffleNetV2_x0_5, 96)).SetArgDisplayNames("neck");
    }

    [TestCaseSource(nameof(Plans))]
    public void ItsMaps_AreTheDetectors_ForAnyNumberOfImages(DetectorPlan plan)
    {
        using var scope = NewDisposeScope();
        using IDisposable frozen = no_grad();
        random.manual_seed(1);
        using Detector detector = plan.Build(TestDetectors.Statistics);
        detector.train();
        detector.Features(TestDetectors.Images(detector, 4));
        detector.eval();
        using var session = new FeatureSession(detector);
        foreach (int count in (int[])[1, 3])
        {
            Tensor images = TestDetectors.Images(detector, count);
            IReadOnlyDictionary<string, Tensor> expected = detector.Features(images), actual = session.Run(images);
            Assert.That(actual.Keys, Is.EquivalentTo(expected.Keys));
            foreach ((string name, Tensor map) in expected)
            {
                Assert.That(actual[name].shape, Is.EqualTo(map.shape), name);
                double error = ((actual[name] - map).norm() / map.norm()).ToDouble();
                Assert.That(error, Is.LessThan(1e-5), name);
            }
        }
    }
}
