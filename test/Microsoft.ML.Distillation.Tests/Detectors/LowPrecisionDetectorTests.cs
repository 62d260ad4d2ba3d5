using Microsoft.ML.Distillation.Compression;
using Microsoft.ML.Distillation.Data;
using Microsoft.ML.Distillation.Detectors;
using Microsoft.ML.Distillation.Detectors.Backbones;
using Microsoft.ML.Distillation.Detectors.Boxes;
using Microsoft.ML.Distillation.Detectors.Quantization;
using Microsoft.ML.Distillation.Estimators;
using Microsoft.ML.Distillation.Images;
using Microsoft.ML.Distillation.Onnx;
using Microsoft.ML.Distillation.Onnx.Proto;
using Microsoft.ML.Distillation.Tensors;
using Microsoft.ML.Distillation.Tests.Data;
using Microsoft.ML.Distillation.Tests.Training;
using static TorchSharp.torch;

namespace Microsoft.ML.Distillation.Tests.Detectors;

public class LowPrecisionDetectorTests
{
    private static readonly Dictionary<string, Backbone> Backbones = new()
    {
        ["plain"] = Backbone.Plain(8, 16, 24, 32),
        ["ShuffleNetV2"] = Backbone.ShuffleNetV2_x0_5,
        ["ResNet-18, FPN"] = Backbone.ResNet18 with { Stages = 2, FpnChannels = 16 },
        ["MobileNetV3"] = Backbone.MobileNetV3Small with { Stages = 2 },
        ["AlexNet in parts"] = Backbone.TuckerAlexNet(0.3),
    };

    [Test]
    public void FirstAndLastLayers_StayInFullPrecision_UnlessAsked()
    {
        using FasterRcnn some = Lowered("plain", LowPrecision.W8A8),
        all = Lowered("plain", LowPrecision.W8A8 with { FirstAndLastLayers = true });
        Assert.That(Names(some), Is.EquivalentTo(["backbone.conv2", "backbone.conv3", "backbone.conv4", "rpn.conv", "head.fc6"]));
        Assert.That(Names(all), Is.EquivalentTo(
            [.. Names(some), "backbone.conv1", "rpn.cls_logits", "rpn.bbox_pred", "head.cls_score", "head.bbox_pred"]));
        using FasterRcnn parts = Lowered("AlexNet in parts", LowPrecision.W8A8);
        Assert.That(Names(parts), Does.Contain("backbone.features.3.core").And.Contain("head.fc6.reduce"));
        Assert.That(Names(parts), Has.None.StartsWith("backbone.features.0."));

        static string[] Names(FasterRcnn detector) => [.. LowPrecisionLayers.In(detector).Select(l => l.Name)];
    }

    [Test]
    public void OneStage_PredictingLayersStayInFullPrecision_AndModelsSayWhichDid()
    {
        using OneStageDetector some = OneStage(), old = OneStage();
        some.LowerPrecision(LowPrecision.W8A8);
        Assert.That(Layers(some), Has.None.EqualTo("head.classes").And.None.EqualTo("head.edges").And.Some.StartsWith("head.layer0"));
        // As before models said so: all but the first layer.
        old.LowerPrecision(LowPrecision.W8A8, spared: []);
        Assert.That(Layers(old), Has.Some.EqualTo("head.classes").And.Some.EqualTo("head.edges"));
        foreach (OneStageDetector detector in new[] { some, old })
        {
            OnnxModelFile file = DetectorFile.Export(detector);
            using Detector loaded = DetectorFile.Load(OnnxModelFile.Parse(file.ToBytes(), "file"));
            Assert.That(Layers(loaded), Is.EqualTo(Layers(detector)));
            using Detector copy = loaded.Unselective();
            Assert.That(Layers(copy), Is.EqualTo(Layers(detector)));
        }

        Google.Protobuf.Collections.RepeatedField<StringStringEntryProto> metadata = DetectorFile.Export(old).Model.MetadataProps;
        Assert.That(metadata.Select(entry => entry.Key), Does.Contain(DetectorGraph.SparedKey));
        ModelProto silent = DetectorFile.Export(old).Model.Clone();
        silent.MetadataProps.Remove(silent.MetadataProps.Single(entry => entry.Key == DetectorGraph.SparedKey));
        using Detector older = DetectorFile.Load(new OnnxModelFile(silent));
        Assert.That(Layers(older), Is.EqualTo(Layers(old)), "a model of before");

        static string[] Layers(Detector detector) => [.. LowPrecisionLayers.In(detector).Select(l => l.Name)];

        static OneStageDetector OneStage() => OneStageRun.Detector();
    }

    [Test]
    public void Weights_AreTheFullPrecisionOnes_BehindTheRounding()
    {
        using FasterRcnn full = TestDetectors.Build(Backbones["plain"]), low = TestDetectors.Build(Backbones["plain"]);
        low.LowerPrecision(LowPrecision.W4A8);
        Dictionary<string, Tensor> before = full.state_dict(), after = low.state_dict();
        Assert.That(after.Keys.Except(before.Keys), Is.All.EndsWith(".quantizer.input_range"));
        foreach ((string name, Tensor value) in before) Assert.That(after[name].bytes.ToArray(), Is.EqualTo(value.bytes.ToArray()), name);
        Assert.That(() => low.LowerPrecision(LowPrecision.W8A8), Throws.InvalidOperationException);
    }

    [Test]
    public void Folding_KeepsTheValues_AndTheIntegersButForTheSign()
    {
        using var scope = NewDisposeScope();
        using var owner = new Group();
        var pair = new ConvNorm(owner, ("conv", "norm"), 3, 4, 3, activation: Activation.None);
        var conv = (ConvLayer)owner.named_modules().Single(m => m.name == "conv").module;
        conv.Make(null);
        conv.Quantize(LowPrecision.W4A8);
        using (no_grad())
        {
            conv.Norm!.weight!.copy_(tensor([2f, -0.5f, 0, 1]));
            conv.Norm.bias!.copy_(tensor([0.1f, 0.2f, 0.3f, 0.4f]));
            conv.Norm.running_mean!.copy_(tensor([1f, -1, 2, 0]));
            conv.Norm.running_var!.copy_(tensor([4f, 1, 1, 0.25f]));
        }

        owner.eval();
        conv.Quantizer!.Range.copy_(tensor([-2f, 2]));
        using IDisposable frozen = no_grad();
        var folded = FoldedWeights.Of(conv);
        float[] plain = TensorArrays.Floats(WeightQuantizer.Of(conv.Weight, LowPrecision.W4A8).Integers);
        int row = plain.Length / 4;
        Assert.That(folded.Integers.Take(row), Is.EqualTo(plain.Take(row).Select(q => (sbyte)q)));
        Assert.That(folded.Integers.Skip(row).Take(row), Is.EqualTo(plain.Skip(row).Take(row).Select(q => (sbyte)-q)), "γ is negative");
        Assert.That(folded.Integers.Skip(2 * row).Take(row), Is.All.Zero, "γ is 0");
        // γ / √(variance + ε) = 2 / 2, and β − μ γ/σ = 0.1 − 1.
        Assert.That(folded.Scale[0], Is.EqualTo(TensorArrays.Floats(WeightQuantizer.Of(conv.Weight, LowPrecision.W4A8).Scale)[0])
            .Within(1e-5));
        Assert.That(folded.Bias, Is.EqualTo(new[] { -0.9f, 0.2f - 0.5f, 0.3f, 0.4f }).Within(1e-4));

        Tensor image = randn(1, 3, 6, 5), expected = pair.Run(image);
        Tensor weight = tensor(Array.ConvertAll(folded.Integers, q => (float)q), [4, 3, 3, 3]).mul(tensor(folded.Scale).view(-1, 1, 1, 1));
        Tensor actual = Convolution.Apply(ActivationQuantizer.Round(image, conv.Quantizer.Range, QuantizerKind.PerChannel), weight,
            tensor(folded.Bias!), 1, 1, 1);
        Assert.That(TensorArrays.Floats(actual), Is.EqualTo(TensorArrays.Floats(expected)).Within(1e-5));
        folded.Restore(conv);
        Assert.That(TensorArrays.Floats(pair.Run(image)), Is.EqualTo(TensorArrays.Floats(expected)).Within(1e-5));
    }

    [Test]
    public void Files_LoadBack_WithTheSameIntegers(
        [Values("plain", "ShuffleNetV2", "AlexNet in parts")] string backbone, [Values("w8a8", "w4a8", "w2")] string name,
        [Values] QuantizerKind kind)
    {
        using FasterRcnn detector = Lowered(backbone, LowPrecision.Parse(name) with { Quantizer = kind });
        OnnxModelFile first = DetectorFile.Export(detector);
        using Detector loaded = DetectorFile.Load(OnnxModelFile.Parse(first.ToBytes(), "first"));
        Assert.That(loaded.Precision, Is.EqualTo(detector.Precision));
        OnnxModelFile second = DetectorFile.Export(loaded);
        foreach ((string parameter, OnnxIntegers integers) in first.Integers()) Assert
            .That(second.Integers()[parameter].Values, Is.EqualTo(integers.Values), parameter);
        foreach ((string parameter, OnnxTensor value) in first.Parameters())
        {
            float size = Math.Max(1e-3f, value.Values.Length == 0 ? 0 : value.Values.Max(Math.Abs));
            Assert.That(second.Parameters()[parameter].Values, Is.EqualTo(value.Values).Within(1e-5f * size), parameter);
        }
    }

    [Test]
    public void Files_HoldIntegers_AndNoFloatsOfThem()
    {
        using FasterRcnn full = TestDetectors.Build(Backbones["plain"]), eight = Lowered("plain", LowPrecision.W8A8),
        four = Lowered("plain", LowPrecision.W4A8);
        OnnxModelFile floats = DetectorFile.Export(full), bytes = DetectorFile.Export(eight), halves = DetectorFile.Export(four);
        Assert.That((floats.Model.OpsetImport[0].Version, bytes.Model.OpsetImport[0].Version, halves.Model.OpsetImport[0].Version),
            Is.EqualTo((18, 18, 21)));
        Assert.That(floats.Metadata, Does.Not.ContainKey(DetectorGraph.PrecisionKey), "nothing changes in full precision");
        Dictionary<string, TensorProto> stored = halves.Model.Graph.Initializer.ToDictionary(i => i.Name);
        foreach ((string name, ILowPrecisionLayer layer) in LowPrecisionLayers.In(four))
        {
            Assert.That(stored, Does.Not.ContainKey($"{name}.weight"));
            TensorProto constant = halves.Model.Graph.Node.Single(n => n.Output[0] == $"{name}.weight").Attribute.Single().T;
            Assert.That(constant.RawData.Length, Is.EqualTo((layer.Weight.numel() + 1) / 2));
            sbyte[] expected = FoldedWeights.Of(layer).Integers;
            Assert.That(halves.Integers()[$"{name}.weight"].Values, Is.EqualTo(expected));
        }

        long weights = LowPrecisionLayers.In(four).Sum(l => l.Layer.Weight.numel());
        Assert.That(stored.Values.Where(t => t.DataType == (int)TensorProto.Types.DataType.Float && t.Dims.Count > 1)
            .Sum(t => t.RawData.Length), Is.LessThan(weights / 2));
        Assert.That(floats.ToBytes().Length - bytes.ToBytes().Length, Is.GreaterThan(2.5 * weights), "a byte in the place of four");
        Assert.That(bytes.ToBytes().Length - halves.ToBytes().Length, Is.GreaterThan(0.45 * weights));
    }

    [Test]
    public void OnnxRuntime_AnswersLikeTheRoundedNetwork_OnRealImages(
        [Values("plain", "ShuffleNetV2", "ResNet-18, FPN", "MobileNetV3", "AlexNet in parts")] string backbone,
        [Values("w8a8", "w4a8", "w2a8", "w2")] string name)
    {
        using IDetectionDataset images = RealImages.Bccd(6);
        using FasterRcnn detector = Lowered(backbone, LowPrecision.Parse(name), images);
        OnnxModelFile model = DetectorFile.Export(detector);
        ExportAgreement agreement = ExportCheck.Run(detector, model, images);
        TestContext.Out.WriteLine(agreement);
        Assert.That(agreement.Detections, Is.GreaterThan(0));
    }

    [Test]
    public void OnnxRuntime_IsExact_WhereItRunsTheGraphAsWritten([Values("plain", "MobileNetV3")] string backbone,
        [Values("w8a8", "w4a8", "w2a8")] string name)
    {
        using IDetectionDataset images = RealImages.Bccd(6);
        using FasterRcnn detector = Lowered(backbone, LowPrecision.Parse(name), images);
        ExportAgreement agreement = ExportCheck
            .Compare(detector, DetectorFile.Export(detector), images, asWritten: true, ExportTolerance.Exact);
        Assert.That(agreement.Holds, agreement.ToString());
        Assert.That(agreement.Detections, Is.GreaterThan(0));
    }

    [Test]
    public void FeatureMaps_AreOnnxRuntimes_ButForValuesBetweenTwoSteps(
        [Values("plain", "ShuffleNetV2", "ResNet-18, FPN", "MobileNetV3", "AlexNet in parts")] string backbone,
        [Values("w8a8", "w4a8")] string name,
        [Values] bool asWritten)
    {
        using var scope = NewDisposeScope();
        using IDetectionDataset images = RealImages.Bccd(2);
        using FasterRcnn detector = Lowered(backbone, LowPrecision.Parse(name), images);
        ImageSize size = detector.InputSize;
        var graph = new GraphBuilder();
        string input = graph.Input("images", TensorProto.Types.DataType.Float, 1, 3, size.Height, size.Width);
        IReadOnlyList<string> maps = detector.Backbone.Write(graph, input, "backbone");
        graph.Output("map", maps[^1], TensorProto.Types.DataType.Float, 1, detector.Backbone.Maps[^1].Channels, "h", "w");

        using DetectionBatch batch = BatchLoader.Load(images, [1], size);
        Tensor image = ChannelsLast.Of(batch.Views[0].sub(tensor(0.5f)).mul(tensor(4f)));
        using var session = new OnnxSession(new OnnxModelFile(graph.Build([])).ToBytes(), new SessionSettings { AsWritten = asWritten });
        var actual = (float[])session.Run(OnnxSession.Input("images", TensorArrays.Floats(image), 1, 3, size.Height, size.Width))["map"];
        float[] expected = TensorArrays.Floats(detector.Backbone.Run(image)[^1]);
        float largest = expected.Max(Math.Abs);
        double[] differences = [.. expected.Zip(actual, (e, a) => (double)Math.Abs(e - a) / largest).Order()];
        TestContext.Out.WriteLine($"{backbone} {name} {asWritten}: median {differences[differences.Length / 2]:0.0e0}, 90 % "
            + $"{differences[differences.Length * 9 / 10]:0.0e0}, most {differences[^1]:0.0e0}");
        Assert.That(largest, Is.GreaterThan(0));
        Assert.That(differences[differences.Length / 2], Is.LessThan(0.004), "less than a step");
        // In deeper networks the differences of the last bit, which move a value to the next step, multiply.
        if (!asWritten) return;
        if (backbone is "plain") Assert.That(differences[^1], Is.LessThan(1e-5));
        if (backbone is "MobileNetV3") Assert.That((differences[differences.Length * 9 / 10] < 1e-6, differences[^1] < 0.004),
            Is.EqualTo((true, true)), "a step is crossed here and there");
    }

    /// <summary>A shaken detector with its precision lowered and its ranges taken from images.</summary>
    private static FasterRcnn Lowered(string backbone, LowPrecision precision, IDetectionDataset? images = null)
    {
        FasterRcnn detector = TestDetectors.Build(Backbones[backbone], 128, new FasterRcnnOptions { HeadWidth = 32 });
        TestDetectors.Shake(detector);
        detector.LowerPrecision(precision);
        LowPrecisionLayers.Calibrate(detector, () =>
        {
            for (int i = 0; i < (images?.Count ?? 2); i++)
            {
                using var scope = NewDisposeScope();
                using DetectionBatch? batch = images is null ? null : BatchLoader.Load(images, [i], detector.InputSize);
                detector.Detect(batch?.Views[0] ?? TestDetectors.Images(detector, 1, seed: 40 + i));
            }
        });
        return detector;
    }
}
