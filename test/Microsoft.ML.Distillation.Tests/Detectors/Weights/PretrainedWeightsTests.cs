using System.Text.Json;
using Microsoft.ML.Distillation.Detectors;
using Microsoft.ML.Distillation.Detectors.Boxes;
using Microsoft.ML.Distillation.Detectors.Weights;
using TorchSharp;
using static TorchSharp.torch;

namespace Microsoft.ML.Distillation.Tests.Detectors.Weights;

public class PretrainedWeightsTests
{
    private static readonly Backbone Plain = Backbone.Plain(4, 6);

    [TestCase("plain.pth")]
    [TestCase("nested.pt")]
    [TestCase("plain.safetensors")]
    public void Detector_StartsFromTheFile(string name)
    {
        using DisposeScope scope = NewDisposeScope();
        using FasterRcnn detector = TestDetectors.Build(Plain with { Weights = Golden.Path("Weights", name) });
        using WeightsFile file = WeightsFile.Open(Golden.Path("Weights", "plain.pth"));
        Dictionary<string, Tensor> state = detector.state_dict();
        foreach (string parameter in file.Tensors.Keys)
        {
            float[] expected = TensorArrays.Floats(file.Read(parameter));
            Assert.That(TensorArrays.Floats(state[$"backbone.{parameter}"]), Is.EqualTo(expected).Within(1e-3), parameter);
        }

        Assert.That(state["backbone.conv1.weight"].requires_grad, Is.True);
    }

    [Test]
    public void ShuffleNetV2OfItsAuthors_ComputesTheSame()
    {
        using DisposeScope scope = NewDisposeScope();
        using IDisposable noGradients = no_grad();
        using FasterRcnn detector = TestDetectors
            .Build(DetectorPlan.FasterRcnn(ShuffleNet(TestData.Model("shufflenetv2_x0_5_backbone.pth")), 64, 64));
        Tensor images = DeterministicValues.Images(1, 1, 3, 64, 64);

        // The authors' network got these numbers as they are; ours standardises what it gets.
        Tensor raw = (images - tensor(PixelNormalisation.Shift, [1, 3, 1, 1])) / tensor(PixelNormalisation.Scale, [1, 3, 1, 1]);
        IReadOnlyDictionary<string, Tensor> maps = detector.Features(raw);
        var expected = JsonSerializer.Deserialize<Dictionary<string, float[]>>(File
            .ReadAllText(Golden.Path("Weights", "shufflenetv2.json")))!;
        foreach ((string stage, int width, int blocks) in new[] { ("stage2", 48, 4), ("stage3", 96, 8), ("stage4", 192, 4) })
        {
            float[] authors = expected[stage];
            float[] wanted = [.. new ShuffleOrder(width, blocks).Maps.Select(place => authors[place])];
            Assert.That(TensorArrays.Floats(maps[stage].mean([0L, 2, 3])), Is.EqualTo(wanted).Within(1e-4), stage);
        }
    }

    [TestCase(48, 4)]
    [TestCase(96, 8)]
    [TestCase(464, 4)]
    public void ShuffleOrder_NamesEveryChannelOnce(int width, int blocks)
        => Assert.That(new ShuffleOrder(width, blocks).Maps.Order(), Is.EqualTo(Enumerable.Range(0, width)));

    [Test]
    public void ShortenedBackbone_PassesOverTheOtherStages()
    {
        Backbone backbone = ShuffleNet(TestData.Model("shufflenetv2_x0_5_backbone.pth")) with { Stages = 2 };
        using FasterRcnn detector = TestDetectors.Build(backbone);
        Assert.That(detector.FeatureMaps, Has.Count.EqualTo(2));
    }

    [Test]
    public void Mismatch_ListsWhatIsMissing_Unexpected_AndWronglyShaped()
    {
        Backbone backbone = Backbone.Plain(4, 7, 9) with
        {
            Weights = PretrainedWeights.FromFile(Golden.Path("Weights", "plain.pth"), name => name == "bn1.bias" ? "bn1.shift" : name),
        };
        WeightsMismatchException e = Assert.Throws<WeightsMismatchException>(() => TestDetectors.Build(backbone))!;
        Assert.That(e.Missing, Is.EquivalentTo(
            new[] { "bn1.bias", "conv3.weight", "bn3.weight", "bn3.bias", "bn3.running_mean", "bn3.running_var" }));
        Assert.That(e.Unexpected, Is.EqualTo(new[] { "bn1.shift" }));
        Assert.That(e.WronglyShaped, Has.Count.EqualTo(5).And
            .Contains("conv2.weight is [6,4,3,3] in the file and [7,4,3,3] in the network"));
        Assert.That(e.Message, Does.Contain("plain.pth").And.Contain("bn1.shift").And.Contain("conv3.weight").And.Contain("[7,4,3,3]"));
    }

    [Test]
    public void FromFile_Renames_AndDrops()
    {
        Backbone backbone = Backbone.Plain(4) with
        {
            Weights = PretrainedWeights.FromFile(
                Golden.Path("Weights", "plain.pth"), name => name.Contains('2', StringComparison.Ordinal) ? null : name),
        };
        using FasterRcnn detector = TestDetectors.Build(backbone);
        Assert.That(
            () => TestDetectors.Build(backbone with { Weights = PretrainedWeights.FromFile(backbone.Weights.Path!, _ => "same") }),
            Throws.TypeOf<FormatException>().With.Message.Contains("both named 'same'"));
    }

    [Test]
    public void Weights_AreNotPartOfTheModel_AndNotReadWhenItIsRebuilt()
    {
        string path = Path.Combine(TestContext.CurrentContext.WorkDirectory, "copy.pth");
        File.Copy(Golden.Path("Weights", "plain.pth"), path, overwrite: true);
        using FasterRcnn detector = TestDetectors.Build(Plain with { Weights = path });
        File.Delete(path);
        Assert.That(detector.Describe(), Does.Not.Contain("copy.pth").And.Not.Contain("Weights"));
        using Detector again = DetectorFactory.FromDescription(detector.Describe());
        Assert.That(again.Describe(), Is.EqualTo(detector.Describe()));
        Assert.That(() => DetectorPlan.FasterRcnn(Plain with { Weights = path }), Throws.TypeOf<FileNotFoundException>());
    }

    private static Backbone ShuffleNet(string path) => Backbone.ShuffleNetV2_x0_5 with { Weights = path, OutputStride = 32 };
}
