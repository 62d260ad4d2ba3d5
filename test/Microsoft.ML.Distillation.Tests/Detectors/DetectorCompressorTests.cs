using Microsoft.ML.Distillation.Compression;
using Microsoft.ML.Distillation.Detectors;
using Microsoft.ML.Distillation.Detectors.Boxes;
using TorchSharp;
using static TorchSharp.torch;

namespace Microsoft.ML.Distillation.Tests.Detectors;

public class DetectorCompressorTests
{
    private static readonly FasterRcnnOptions SmallHead = new() { HeadWidth = 48 };

    private static IEnumerable<TestCaseData> Backbones => new[]
    {
        Backbone.Plain(8, 16, 24), Backbone.MobileNetV3Small, Backbone.ShuffleNetV2_x0_5, Backbone.ResNet18 with { Stages = 2 },
        Backbone.AlexNet with { Stages = 3 }, Backbone.ResNet18 with { Stages = 3, FpnChannels = 24 },
    }.Select(b => new TestCaseData(b).SetArgDisplayNames($"{b.Kind}{(b.FpnChannels is null ? "" : " with FPN")}"));

    [TestCaseSource(nameof(Backbones))]
    public void FullRanks_LeaveTheOutputAsItWas(Backbone backbone)
    {
        using DisposeScope scope = NewDisposeScope();
        using IDisposable noGradients = no_grad();
        using FasterRcnn whole = TestDetectors.Build(backbone, 96, SmallHead);
        TestDetectors.Shake(whole);
        CompressibleLayers layers = CompressibleLayers.Of(whole);
        var ranks = layers.All.Where(l => l.Groups == 1).ToDictionary(l => l.Name, l => (IReadOnlyList<int>)l.FullRanks);
        Assert.That(ranks.Keys, Contains.Item("rpn.conv").And.Some.StartWith("backbone."));
        if (backbone.FpnChannels is not null) Assert
            .That(ranks.Keys, Contains.Item("fpn.inner_blocks.1.0").And.Contains("fpn.layer_blocks.0.0"));
        CompressionReport? report = null;
        using FasterRcnn parts = DetectorCompressor.Compress(whole, new() { Ranks = ranks, Report = r => report = r });
        parts.eval();

        Tensor images = TestDetectors.Images(whole, 1);
        Tensor[] regions = [tensor([4f, 4, 60, 50, 30, 20, 90, 70], [2, 4])];
        IReadOnlyDictionary<string, Tensor> expected = whole.Features(images), actual = parts.Features(images);
        foreach ((string name, Tensor map) in expected)
            Assert.That(((map - actual[name]).abs().max() / map.abs().max()).item<float>(), Is.LessThan(1e-4), name);
        Tensor logits = whole.Head(expected, regions).ClassLogits;
        Assert.That((parts.Head(actual, regions).ClassLogits - logits).abs().max().item<float>(), Is.LessThan(1e-4));
        Assert.That((parts.Rpn(actual).Deltas - whole.Rpn(expected).Deltas).abs().max().item<float>(), Is.LessThan(1e-4));
        Assert.That(report!.Layers, Has.Count.EqualTo(ranks.Count));
        Assert.That(report.Layers.Select(l => l.Error), Is.All.LessThan(1e-3));
        Assert.That(report.ParametersBefore, Is.EqualTo(whole.parameters().Sum(p => p.NumberOfElements)));
        Assert.That(report.Parameters, Is.EqualTo(parts.parameters().Sum(p => p.NumberOfElements)));
    }

    [Test]
    public void LayersOutsideTheBackbone_AreTakenApart_WhereNamed_AndCostLess()
    {
        using FasterRcnn whole = TestDetectors.Build(Backbone.Plain(8, 16, 24) with { FpnChannels = 32 }, 96, SmallHead);
        TestDetectors.Shake(whole);
        Dictionary<string, LayerShape> further = CompressibleLayers.Of(whole).Further.ToDictionary(l => l.Name);

        // The pyramid's layers keep their map's size, and the RPN looks at every map.
        Assert.That(further["fpn.layer_blocks.0.0"].OutPositions, Is.EqualTo(further["fpn.inner_blocks.0.0"].InPositions));
        Assert.That(further["rpn.conv"].OutPositions, Is
            .EqualTo(further.Values.Where(l => l.Name.StartsWith("fpn.layer_blocks", StringComparison.Ordinal)).Sum(l => l.OutPositions)));

        CompressionReport? report = null;
        var ranks = new Dictionary<string, IReadOnlyList<int>>
        {
            ["fpn.layer_blocks.0.0"] = [6, 7],
            ["rpn.conv"] = [4, 5],
            ["fpn.inner_blocks.1.0"] = [3]
        };
        using FasterRcnn small = DetectorCompressor.Compress(whole, new() { Ranks = ranks, Report = r => report = r });
        Assert.That(report!.FlopsShare, Is.EqualTo(1), "of the backbone");
        Assert.That(report.Layers.Select(l => l.Name), Is.EquivalentTo(ranks.Keys));
        Assert.That(report.Layers.Select(l => l.Error), Is.All.InRange(0.01, 0.999));
        Assert.That(report.Layers.Select(l => l.FlopsShare), Is.All.InRange(0.01, 0.9));
        Assert.That(small.parameters().Sum(p => p.NumberOfElements), Is.EqualTo(report.Parameters).And.LessThan(report.ParametersBefore));
        using var again = (FasterRcnn)DetectorFactory.FromDescription(small.Describe());
        Assert.That(again.state_dict().Keys, Is.EqualTo(small.state_dict().Keys).And.Contains("rpn.conv.core.weight").And
            .Contains("fpn.inner_blocks.1.0.expand.bias"));
    }

    [TestCase(true)]
    [TestCase(false)]
    public void FullRanks_LeaveAOneStageDetectorAsItWas_NeckAndHeadToo(bool separable)
    {
        using DisposeScope scope = NewDisposeScope();
        using IDisposable noGradients = no_grad();
        random.manual_seed(1);
        using var whole = (OneStageDetector)DetectorPlan.OneStage(
            Backbone.Plain(8, 16, 24, 32), 96, new OneStageOptions { Separable = separable }).Build(TestDetectors.Statistics);
        var ranks = CompressibleLayers.Of(whole).All.Where(l => l.Groups == 1)
            .ToDictionary(l => l.Name, l => (IReadOnlyList<int>)l.FullRanks);
        Assert.That(ranks.Keys, Contains.Item("backbone.conv2").And.Contains("neck.lateral0.conv").And
            .Contains(separable ? "head.layer0.conv1" : "head.layer0.conv0"));
        using OneStageDetector full = DetectorCompressor.Compress(whole, new() { Ranks = ranks });
        whole.eval();
        full.eval();
        Tensor images = TestDetectors.Images(whole, 1);
        DenseOutput expected = whole.Answer(whole.Features(images)), actual = full.Answer(full.Features(images));
        Assert.That((actual.Logits - expected.Logits).abs().max().item<float>(), Is.LessThan(1e-4));
        Assert.That((actual.Edges - expected.Edges).abs().max().item<float>(), Is.LessThan(1e-4));
        using var again = (OneStageDetector)DetectorFactory.FromDescription(full.Describe());
        Assert.That(again.state_dict().Keys, Is.EqualTo(full.state_dict().Keys));
    }

    [Test]
    public void OneStageDetector_HasItsShareOfMultiplications()
    {
        using var whole = (OneStageDetector)DetectorPlan.OneStage(Backbone.Plain(8, 16, 24, 32), 96).Build(TestDetectors.Statistics);
        CompressionReport? report = null;
        using OneStageDetector small = DetectorCompressor.Compress(whole, new() { FlopsShare = 0.4, Report = r => report = r });
        Assert.That(report!.FlopsShare, Is.InRange(0.35, 0.4));
        Assert.That(report.Parameters, Is.EqualTo(small.parameters().Sum(p => p.NumberOfElements)).And.LessThan(report.ParametersBefore));
        using var again = (OneStageDetector)DetectorFactory.FromDescription(small.Describe());
        Assert.That(again.state_dict().Keys, Is.EqualTo(small.state_dict().Keys));
        var planned = (OneStageDetector)DetectorPlan
            .OneStage(Backbone.Plain(8, 16, 24, 32) with { Compression = new() { FlopsShare = 0.4 } }, 96).Build(TestDetectors.Statistics);
        using (planned) Assert.That(planned.state_dict().Keys, Does.Contain("backbone.conv2.core.weight"));
        Assert.That(() => DetectorCompressor.Compress(whole, new() { FlopsShare = 0.4, HeadFlopsShare = 0.5 }),
            Throws.ArgumentException.With.Message.Contains("HeadFlopsShare is for fully connected layers"));
    }

    [TestCase(0.2)]
    [TestCase(0.375)]
    [TestCase(0.45)]
    public void TuckerAlexNet_HasItsShareOfMultiplications(double share)
    {
        CompressionReport? report = null;
        Backbone backbone = Backbone.TuckerAlexNet(share);
        backbone = backbone with { Compression = backbone.Compression! with { Report = r => report = r } };
        using FasterRcnn student = TestDetectors.Build(backbone, 160);
        Assert.That(report!.FlopsShare, Is.InRange(share - 0.01, share));
        Assert.That(report.HeadFlopsShare, Is.InRange(share - 0.01, share));
        Assert.That(report.Layers.Select(l => l.Name), Is.EqualTo(student.Config.Ranks.Keys).AsCollection.Or
            .EquivalentTo(student.Config.Ranks.Keys));
        Assert.That(report.Parameters, Is.LessThan((share + 0.05) * report.ParametersBefore));
        TestContext.Out.WriteLine($"{share}: {report.Parameters} of {report.ParametersBefore} parameters");
        foreach (LayerCompression layer in report.Layers) TestContext.Out
            .WriteLine($"{layer.Name} [{string.Join(", ", layer.Ranks)}] {layer.FlopsShare:P1}");
    }

    [Test]
    public void TuckerAlexNet_HasThePapersSize_AtTheSmallerHead()
    {
        using FasterRcnn student = TestDetectors.Build(Backbone.TuckerAlexNet(0.375, headFlopsShare: 0.17), 160);
        Assert.That(student.parameters().Sum(p => p.NumberOfElements) / 1e6, Is.EqualTo(11).Within(0.5));
    }

    [Test]
    public void CompressedDetector_IsRebuilt_Moved_AndTrained()
    {
        using DisposeScope scope = NewDisposeScope();
        var compression = new CompressionOptions
        {
            FlopsShare = 0.4,
            Ranks = new Dictionary<string, IReadOnlyList<int>> { ["backbone.features.3"] = [20, 40] }
        };
        Backbone backbone = Backbone.AlexNet with { Stages = 3 };
        using FasterRcnn whole = TestDetectors.Build(backbone, 96, SmallHead);
        using FasterRcnn student = DetectorCompressor.Compress(whole, compression);
        Assert.That(student.Config.Ranks["backbone.features.3"], Is.EqualTo(new[] { 20, 40 }));
        Assert.That(student.state_dict().Keys, Contains.Item("backbone.features.3.core.weight").And
            .Contains("head.fc6.reduce.weight").And.Not.Contains("backbone.features.3.weight"));

        using var again = (FasterRcnn)DetectorFactory.FromDescription(student.Describe());
        Assert.That(again.state_dict().Keys, Is.EqualTo(student.state_dict().Keys));
        Assert.That(again.Describe(), Is.EqualTo(student.Describe()));

        again.to(ScalarType.Float64);
        foreach ((string name, var parameter) in again.named_parameters()) Assert
            .That(parameter.dtype, Is.EqualTo(ScalarType.Float64), name);
        using (again.Features(TestDetectors.Images(again, 1).to(ScalarType.Float64))["conv3"]) again.to(ScalarType.Float32);

        again.train();
        IReadOnlyDictionary<string, Tensor> features = again.Features(TestDetectors.Images(again, 1));
        Tensor[] regions = [tensor([4f, 4, 60, 50], [1, 4])];
        HeadOutput head = again.Head(features, regions);
        (again.Rpn(features).Deltas.square().sum() + head.ClassLogits.square().sum() + head.Deltas.square().sum()).backward();
        foreach ((string name, var parameter) in again.named_parameters())
        {
            if (!name.StartsWith("rpn.cls", StringComparison.Ordinal)) Assert.That(parameter.grad, Is.Not.Null, name);
        }
    }

    [Test]
    public void TrainedWeights_GuideTheRanks_AndTheErrorIsReported()
    {
        using DisposeScope scope = NewDisposeScope();
        CompressionReport? report = null;
        Backbone backbone = Backbone.Plain(4, 6) with
        {
            Weights = Golden.Path("Weights", "plain.pth"),
            Compression = new() { FlopsShare = 0.9, Report = r => report = r },
        };
        using FasterRcnn student = TestDetectors.Build(backbone);
        Assert.That(report!.FlopsShare, Is.LessThanOrEqualTo(0.9));
        Assert.That(report.Layers.Where(l => l.Name.StartsWith("backbone", StringComparison.Ordinal)).Select(l => l.Error),
            Is.Not.Empty.And.All.InRange(0.0, 0.9));
        Dictionary<string, Tensor> state = student.state_dict();
        using var file = Microsoft.ML.Distillation.Detectors.Weights.WeightsFile.Open(Golden.Path("Weights", "plain.pth"));
        Assert.That(TensorArrays.Floats(state["backbone.bn2.weight"]), Is.EqualTo(TensorArrays.Floats(file.Read("bn2.weight"))));
    }

    [TestCase("backbone.conv9", new[] { 1, 1 }, "no layer 'backbone.conv9'")]
    [TestCase("backbone.conv2", new[] { 1 }, "takes 2 ranks of at most [4, 6]")]
    [TestCase("backbone.conv2", new[] { 5, 6 }, "takes 2 ranks of at most [4, 6]")]
    [TestCase("backbone.conv2", new[] { 0, 6 }, "not one or two of at least 1")]
    public void UnfitRanks_AreErrors(string name, int[] ranks, string reason)
    {
        var options = new CompressionOptions { Ranks = new Dictionary<string, IReadOnlyList<int>> { [name] = ranks } };
        Assert.That(() => TestDetectors.Build(Backbone.Plain(4, 6) with { Compression = options }),
            Throws.ArgumentException.With.Message.Contains(reason));
        Assert.That(() => Backbone.TuckerAlexNet(1.5), Throws.ArgumentException.With.Message.Contains("not 1.5"));
    }
}
