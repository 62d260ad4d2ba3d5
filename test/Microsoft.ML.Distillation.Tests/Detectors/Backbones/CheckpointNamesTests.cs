using System.Text.Json;
using Microsoft.ML.Distillation.Detectors.Backbones;
using Microsoft.ML.Distillation.Detectors.Weights;

namespace Microsoft.ML.Distillation.Tests.Detectors.Backbones;

public class CheckpointNamesTests
{
    private static readonly Lazy<Dictionary<string, Dictionary<string, long[]>>> Names = new(() =>
        JsonSerializer.Deserialize<Dictionary<string, Dictionary<string, long[]>>>(File
            .ReadAllText(Golden.Path("Backbones", "names.json")))!);

    private static IEnumerable<TestCaseData> Torchvisions => new[]
    {
        Backbone.ResNet18, Backbone.ResNet34, Backbone.ResNet50, Backbone.ShuffleNetV2_x0_5, Backbone.ShuffleNetV2_x1_0,
        Backbone.MobileNetV3Small, Backbone.MobileNetV3Large, Backbone.AlexNet, Backbone.Vgg16,
    }.Select(b => new TestCaseData(b).SetArgDisplayNames($"{b.Kind}"));

    /// <summary>The names and shapes in torchvision's checkpoint of a family.</summary>
    public static Dictionary<string, long[]> Of(BackboneKind kind) => Names.Value[$"{kind}"];

    [TestCaseSource(nameof(Torchvisions))]
    public void TorchvisionsCheckpoint_Fits_WholeAndShortened(Backbone backbone)
    {
        foreach (Backbone shape in (Backbone[])[backbone, backbone with { Stages = 2 }])
        {
            using BackboneNetwork network = BackboneNetwork.Create(shape, 32);
            WeightsMismatchException? mismatch = BackboneParameters.Mismatch(shape, "file", Of(backbone.Kind), network.state_dict());
            Assert.That(mismatch?.Message, Is.Null);
        }
    }
}
