using System.Text.Json;
using Microsoft.ML.Distillation.Detectors;
using Microsoft.ML.Distillation.Detectors.Backbones;
using Microsoft.ML.Distillation.Detectors.Boxes;
using Microsoft.ML.Distillation.Detectors.Graphs;
using Microsoft.ML.Distillation.Onnx;
using Microsoft.ML.Distillation.Onnx.Proto;
using Microsoft.ML.Distillation.Tests.Detectors.Graphs;
using TorchSharp;
using static TorchSharp.torch;

namespace Microsoft.ML.Distillation.Tests.Detectors.Backbones;

/// <summary>Backbones of ONNX graphs: what they are made of, and what everything of this library makes of them.</summary>
public class OnnxBackboneTests
{
    [Test]
    public void Maps_AreOfTheNamesGiven_FinestFirst()
    {
        using var trunk = new TrunkFile();
        Assert.That(trunk.Backbone(5, 3, 4).Maps, Is.EqualTo(TrunkFile.Maps(3, 4, 5)));
        using BackboneNetwork network = BackboneNetwork.Create(trunk.Backbone(4, 2), 32);
        Assert.That(network.Maps, Is.EqualTo(new FeatureMap[] { new("/layer2/out", 8, 4), new("/layer4/out", 16, 16) }));
        Assert.That(network.state_dict().Keys, Has.Some.Contains("layer4").And.None.Contains("layer5").And.None.Contains("fc"));
        Assert.That(Backbone.ResNet18.Maps, Is.Empty);
    }

    [Test]
    public void Maps_AreSuggested_WhereNoneAreNamed_AndSaid()
    {
        using var trunk = new TrunkFile();
        Assert.That(trunk.Backbone().Maps, Is.EqualTo(TrunkFile.Maps(3, 4, 5)));
        Assert.That(trunk.Backbone().Graph!.MapsText, Does.Contain("'/layer3/out' (stride 8, 12 channels)").And.Contain("stride 32")
            .And.Contain("no tensors were named").And.Not.Contains("cannot be run"));
        Assert.That(trunk.Backbone(4).Graph!.MapsText,
            Is.EqualTo("Its maps are '/layer4/out' (stride 16, 16 channels), as they were named"));
    }

    /// <summary>ONNX Runtime refuses a file for an operator that it does not know, wherever it stands: it gets the part alone.</summary>
    [Test]
    public void UnknownOperator_BehindTheCut_DoesNotMatter([Values] bool named)
    {
        using var trunk = new TrunkFile();
        NodeProto odd = trunk.Graph.Graph.Node.First(node => node.Output[0] == "/pool");
        (odd.OpType, odd.Domain) = ("DeformConv", "mmcv");
        using var folder = new TemporaryFolder();
        string path = Saved(folder, trunk.Graph.Build("logits"));

        Backbone backbone = Backbone.FromOnnx(path, named ? TrunkFile.Maps(3) : null);

        Assert.That(backbone.Maps, Is.EqualTo(named ? TrunkFile.Maps(3) : TrunkFile.Maps(3, 4, 5)));
        if (!named) Assert.That(backbone.Graph!.MapsText, Does.Contain("'mmcv'").And.Contain("node_/pool"));
    }

    [Test]
    public void GraphInsideOfAnOperator_IsNamed_WithTheMapsItTakes()
    {
        using var trunk = new TrunkFile();
        GraphProto graph = trunk.Graph.Graph;
        var branch = new GraphProto { Name = "b", Output = { new ValueInfoProto { Name = "in" } } };
        branch.Node.Add(new NodeProto { OpType = "Relu", Input = { "/layer3/out" }, Output = { "in" } });
        var choice = new NodeProto { OpType = "If", Name = "choice", Input = { "c" }, Output = { "chosen" } };
        choice.Attribute.Add(new AttributeProto { Name = "then_branch", Type = AttributeProto.Types.AttributeType.Graph, G = branch });
        choice.Attribute.Add(new AttributeProto { Name = "else_branch", Type = AttributeProto.Types.AttributeType.Graph, G = branch });
        graph.Initializer.Add(new TensorProto { Name = "c", DataType = 9, RawData = Google.Protobuf.ByteString.CopyFrom(1) });
        graph.Node.Add(choice);
        using var folder = new TemporaryFolder();
        string path = Saved(folder, trunk.Graph.Build("chosen"));

        Assert.That(() => Backbone.FromOnnx(path, ["chosen"]), Throws.TypeOf<NotSupportedException>()
            .With.Message.Contains("If 'choice'").And.Message.Contains("control flow").And.Message.EndsWith("could cut: '/layer3/out'."));
    }

    /// <summary>A tensor is offered to cut at if it is a map, and else the last map before it.</summary>
    [Test]
    public void CutThatIsOffered_IsAMap()
    {
        using var trunk = new TrunkFile();
        trunk.Graph.Node("Bernoulli", "odd", ["/flat"]);
        using var folder = new TemporaryFolder();
        string path = Saved(folder, trunk.Graph.Build("odd"));
        Assert.That(() => Backbone.FromOnnx(path, ["odd"]), Throws.TypeOf<NotSupportedException>()
            .With.Message.Contains("Bernoulli").And.Message.Contains("The last map before it").And.Message.Contains("'/layer5/out'")
            .And.Message.Not.Contains("'/flat'"));
    }

    [Test]
    public void WhatCannotBeRun_IsSaid_WithoutNamesOfMapsToo()
    {
        using var folder = new TemporaryFolder();
        var two = new TestGraph();
        two.Node("Relu", "out", [two.Node("Add", "sum", [two.Image(64, 64), two.Input("depth", 1, 3, 64, 64)])]);
        Assert.That(() => Backbone.FromOnnx(Saved(folder, two.Build("out"))),
            Throws.TypeOf<NotSupportedException>().With.Message.Contains("more than one input").And.Message.Contains("'depth'"));

        var incomplete = new TestGraph();
        incomplete.Node("Conv", "out", [incomplete.Image(64, 64), "lost.weight"]);
        foreach (string[]? maps in (string[]?[])[null, ["out"]])
        {
            Assert.That(() => Backbone.FromOnnx(Saved(folder, incomplete.Build("out")), maps),
                Throws.InstanceOf<SystemException>().With.Message.Contains("node_out").And.Message.Contains("'lost.weight'"));
        }

        using var trunk = new TrunkFile();
        trunk.Graph.Graph.Initializer.Add(trunk.Graph.Graph.Initializer[0]);
        Assert.That(() => Backbone.FromOnnx(Saved(folder, trunk.Graph.Build("logits")), TrunkFile.Maps(3)),
            Throws.TypeOf<FormatException>().With.Message.Contains("two parameters"));
    }

    [TestCase(100_000, 100_000)]
    [TestCase(3_000_000_000, 1)]
    public void GraphOfMonstrousImages_IsRefused_BeforeOneIsMade(long height, long width)
    {
        using var folder = new TemporaryFolder();
        var graph = new TestGraph();
        graph.Node("Relu", "out", [graph.Input("images", 1, 3, height, width)]);
        string path = Saved(folder, graph.Build("out"));
        foreach (string[]? maps in (string[]?[])[null, ["out"]])
        {
            Assert.That(() => Backbone.FromOnnx(path, maps),
                Throws.TypeOf<NotSupportedException>().With.Message.Contains($"{width}×{height}").And.Message.Contains("16,777,216"));
        }
    }

    [Test]
    public void MapsThatGainCells_AreNotSaidToLoseThem()
    {
        using var folder = new TemporaryFolder();
        var graph = new TestGraph();
        string x = graph.Conv(graph.Image(64, 64), 3, 4, 3, stride: 2, "first");
        string padded = graph.Node("Pad", "padded", [x, graph.Integers("pads", 0, 0, 1, 1, 0, 0, 0, 0)]);
        graph.Node("Relu", "out", [padded]);
        Backbone backbone = Backbone.FromOnnx(Saved(folder, graph.Build("out")), ["out"]);
        Assert.That(() => BackboneNetwork.Create(backbone, 32),
            Throws.ArgumentException.With.Message.Contains("33×33").And.Message.Contains("adds cells").And.Message.Not.Contains("loses"));
    }

    private static string Saved(TemporaryFolder folder, ModelProto model)
    {
        string path = folder.Sub("graph.onnx");
        File.WriteAllBytes(path, Google.Protobuf.MessageExtensions.ToByteArray(model));
        return path;
    }

    [Test]
    public void WhatDoesNotFit_IsNamed_BeforeAnyTraining()
    {
        using var trunk = new TrunkFile();
        Assert.That(() => Backbone.FromOnnx("none.onnx"), Throws.TypeOf<FileNotFoundException>().With.Message.Contains("none.onnx"));
        Assert.That(() => Backbone.FromOnnx(trunk.Path, ["/layer3/uot"]),
            Throws.ArgumentException.With.Message.Contains("'/layer3/uot'").And.Message.Contains("'/layer3/out'"));
        Assert.That(() => Backbone.FromOnnx(trunk.Path, ["logits"]), Throws.ArgumentException.With.Message.Contains("'logits'"));
        Assert.That(() => Backbone.FromOnnx(trunk.Path, []), Throws.ArgumentException);
        Assert.That(() => Backbone.FromOnnx(trunk.Path, TrunkFile.Maps(3, 3)), Throws.ArgumentException.With.Message.Contains("once"));
        Assert.That(() => Backbone.FromOnnx(trunk.Path, TrunkFile.Maps(3), new OnnxPreprocessing { Mean = [1] }),
            Throws.ArgumentException.With.Message.Contains("Mean"));
        using var folder = new TemporaryFolder();
        Assert.That(() => Backbone.FromOnnx(folder.Write("text.onnx", "not a graph")), Throws.TypeOf<FormatException>());

        Backbone backbone = trunk.Backbone(3, 4);
        Assert.That(() => DetectorPlan.FasterRcnn(backbone with { Stages = 3 }),
            Throws.ArgumentException.With.Message.Contains("Backbone.Stages of an ONNX graph").And.Message.Contains("1 to 2"));
        Assert.That(() => DetectorPlan.FasterRcnn(backbone with { Dilates = true }),
            Throws.ArgumentException.With.Message.Contains("Backbone.Dilates"));
        Assert.That(() => DetectorPlan.FasterRcnn(backbone with { Weights = trunk.Path }),
            Throws.ArgumentException.With.Message.Contains("Backbone.Weights"));
    }

    [Test]
    public void Preprocessing_IsPartOfTheDetector_AndOfItsExport()
    {
        using DisposeScope scope = NewDisposeScope();
        using var trunk = new TrunkFile();
        float[] mean = [100, 110, 120], deviation = [50, 60, 70];
        var wanted = new OnnxPreprocessing { Channels = ChannelOrder.Bgr, Scale = 1, Mean = mean, StandardDeviation = deviation };
        Backbone backbone = Backbone.FromOnnx(trunk.Path, TrunkFile.Maps(3), wanted);
        Assert.That(backbone.Preprocessing, Is.EqualTo(wanted));
        using FasterRcnn detector = TestDetectors.Build(DetectorPlan.FasterRcnn(backbone, 64, 64));
        Tensor image = TestDetectors.Images(detector, 1);
        Tensor seen = (image.flip(1) * 255 - tensor(mean, [1, 3, 1, 1])) / tensor(deviation, [1, 3, 1, 1]);
        float[] expected = trunk.Graph.Run(seen, "/layer3/out");
        Assert.That(TensorArrays.Floats(detector.Features(image)["/layer3/out"]), Is.EqualTo(expected).Within(1e-3f));

        var graph = new GraphBuilder();
        graph.Input("image", TensorProto.Types.DataType.Float, 1, 3, 64, 64);
        string normalised = new PixelNormalisation(backbone).Write(graph, "image");
        graph.Output("seen", normalised, TensorProto.Types.DataType.Float, 1, 3, 64, 64);
        float[] written = (float[])OnnxRun.Run(graph, OnnxRun.Value("image", TensorArrays.Floats(image), 1, 3, 64, 64))["seen"];
        Assert.That(written, Is.EqualTo(TensorArrays.Floats(seen)).Within(1e-4f));
    }

    [Test]
    public void OutputStride_EndsTheGraphAtTheMapsThatAreNoCoarser()
    {
        using var trunk = new TrunkFile();
        Assert.That(Strides(trunk.Backbone(3, 4, 5), 16), Is.EqualTo(new[] { 8, 16 }));
        Assert.That(Strides(trunk.Backbone(3, 4, 5), 4), Is.EqualTo(new[] { 8 }), "none is as fine: the finest");
        Assert.That(Strides(trunk.Backbone(3, 4, 5) with { Stages = 2 }, 32), Is.EqualTo(new[] { 8, 16 }));
        using FasterRcnn single = TestDetectors.Build(trunk.Backbone(3, 4, 5) with { OutputStride = 16 });
        Assert.That(single.SourceMaps, Is.EqualTo(TrunkFile.Maps(4)));
        using FasterRcnn pyramid = TestDetectors.Build(trunk.Backbone(3, 4, 5) with { FpnChannels = 16 });
        Assert.That(pyramid.SourceMaps, Is.EqualTo(new[] { "fpn0", "fpn1", "fpn2" }));

        static int[] Strides(Backbone backbone, int outputStride)
        {
            using BackboneNetwork network = BackboneNetwork.Create(backbone, outputStride);
            return [.. network.Maps.Select(map => map.Stride)];
        }
    }

    [TestCase(false)]
    [TestCase(true)]
    public void TheFile_IsNotNeededAgain(bool folded)
    {
        using DisposeScope scope = NewDisposeScope();
        OnnxModelFile export;
        Tensor image, expected;
        using (var trunk = new TrunkFile(folded))
        {
            using FasterRcnn detector = TestDetectors.Build(trunk.Backbone(3, 4) with { FpnChannels = 16 });
            image = TestDetectors.Images(detector, 1);
            expected = detector.Features(image)["fpn1"];
            export = OnnxModelFile.Parse(DetectorFile.Export(detector).ToBytes(), "export");
            Assert.That(detector.Describe(), Does.Not.Contain(Path.GetDirectoryName(trunk.Path)).And.Length.LessThan(20000));
        }

        using Detector again = DetectorFile.Load(export);
        Assert.That(TensorArrays.Floats(again.Features(image)["fpn1"]), Is.EqualTo(TensorArrays.Floats(expected)));
        Assert.That(again.FeatureMaps.Select(map => map.Name), Is.EqualTo(new[] { "/layer3/out", "/layer4/out", "fpn0", "fpn1" }));
        Assert.That(((GraphNetwork)again.Backbone).Description, Does.Contain("trunk.onnx").And.Contain(folded ? "without any" : "8 batch"));
    }

    [Test]
    public void Parameters_AreTheGraphs_OrRandomWhereThatIsAsked()
    {
        using DisposeScope scope = NewDisposeScope();
        using var trunk = new TrunkFile();
        Backbone backbone = trunk.Backbone(3);
        using FasterRcnn own = TestDetectors.Build(backbone),
            random = TestDetectors.Build(backbone with { Weights = PretrainedWeights.None });
        Assert.That(random.state_dict().Keys, Is.EqualTo(own.state_dict().Keys));
        Assert.That((own.Weights?.File, random.Weights), Is.EqualTo(("trunk.onnx", (object?)null)));
        foreach ((string name, Tensor value) in random.state_dict()
            .Where(entry => entry.Key.StartsWith("backbone.", StringComparison.Ordinal)))
        {
            float[] values = TensorArrays.Floats(value.to(ScalarType.Float32));
            if (name.EndsWith("conv.weight", StringComparison.Ordinal) || name.EndsWith("inner.weight", StringComparison.Ordinal))
                Assert.That(values, Is.Not.EqualTo(TensorArrays.Floats(own.state_dict()[name])), name);
            else if (name.EndsWith("weight", StringComparison.Ordinal) || name.EndsWith("var", StringComparison.Ordinal))
                Assert.That(values, Is.All.EqualTo(1), name);
            else
                Assert.That(values, Is.All.EqualTo(0), name);
        }
    }

    [Test]
    public void ADescription_IsRead_WithinBounds()
    {
        using var trunk = new TrunkFile();
        using FasterRcnn detector = TestDetectors.Build(trunk.Backbone(3));
        string description = detector.Describe(), cut = Convert.ToBase64String(detector.Config.Backbone.Graph!.Cut);
        Assert.That(JsonDocument.Parse(description).RootElement.GetProperty("FasterRcnn").GetProperty("Backbone").GetProperty("Graph")
            .GetProperty("Cut").GetString(), Is.EqualTo(cut));
        string large = Convert.ToBase64String(new byte[BackboneGraph.MaxBytes + 3]);
        foreach (string damage in (string[])["", "AAAA", cut[..(cut.Length / 2 / 4 * 4)], large])
        {
            Assert.That(() => DetectorFactory.FromDescription(description.Replace(cut, damage, StringComparison.Ordinal)),
                Throws.TypeOf<FormatException>(), $"{damage.Length}");
        }

        using Detector ours = TestDetectors.Build(Backbone.Plain(8, 16));
        Assert.That(ours.Describe(), Does.Not.Contain("Graph"));
    }

    [Test]
    public void BadDescriptions_AreRefused_OrBecomeANetwork()
    {
        using var trunk = new TrunkFile();
        using FasterRcnn detector = TestDetectors.Build(trunk.Backbone(3));
        byte[] cut = detector.Config.Backbone.Graph!.Cut;
        string description = detector.Describe(), text = Convert.ToBase64String(cut);
        var mutator = new Mutator(seed: 1, [cut]);
        int refused = 0;
        for (int i = 0; i < 400; i++)
        {
            using DisposeScope scope = NewDisposeScope();
            string changed = description.Replace(text, Convert.ToBase64String(mutator.Next()), StringComparison.Ordinal);
            try
            {
                DetectorFactory.FromDescription(changed).Dispose();
            }
            catch (FormatException)
            {
                refused++;
            }
        }

        Assert.That(refused, Is.InRange(100, 399));
    }

    [Test]
    public void MixedPrecision_DeviatesNoMoreThanInOurOwnNetworks()
    {
        using DisposeScope scope = NewDisposeScope();
        using IDisposable noGradients = no_grad();
        using var trunk = new TrunkFile();
        using BackboneNetwork network = BackboneNetwork.Create(trunk.Backbone(), 32);
        manual_seed(3);
        Tensor images = rand(4, 3, 64, 64);
        foreach ((Tensor single, Tensor mixed) in network.Run(images).Zip(network.Run(images.to_type(ScalarType.BFloat16))))
        {
            Assert.That(mixed.dtype, Is.EqualTo(ScalarType.BFloat16));
            Assert.That((mixed.to_type(ScalarType.Float32) - single).norm().ToDouble() / single.norm().ToDouble(), Is.LessThan(0.03));
        }
    }

    [Test]
    public void ParametersInAFileBesideIt_AreRead_AndOnlyThose()
    {
        using var trunk = new TrunkFile();
        using var folder = new TemporaryFolder();
        using BackboneNetwork expected = BackboneNetwork.Create(trunk.Backbone(3), 32);
        Assert.That(() => Backbone.FromOnnx(Split("../weights.data"), TrunkFile.Maps(3)),
            Throws.TypeOf<FormatException>().With.Message.Contains("'../weights.data'"));
        string path = Split("weights.data");
        using BackboneNetwork network = BackboneNetwork.Create(Backbone.FromOnnx(path, TrunkFile.Maps(3)), 32);
        foreach ((string name, Tensor value) in expected.state_dict())
            Assert.That(TensorArrays.Floats(network.state_dict()[name]), Is.EqualTo(TensorArrays.Floats(value)), name);
        File.WriteAllBytes(folder.Sub("weights.data"), new byte[100]);
        Assert.That(() => Backbone.FromOnnx(path), Throws.TypeOf<FormatException>().With.Message.Contains("has 100 bytes"));
        File.Delete(folder.Sub("weights.data"));
        Assert.That(() => Backbone.FromOnnx(path), Throws.TypeOf<FileNotFoundException>().With.Message.Contains("'weights.data'"));

        string Split(string location)
        {
            var model = OnnxModelFile.LoadAll(trunk.Path).Single().Model;
            using var data = new MemoryStream();
            foreach (var tensor in model.Graph.Initializer)
            {
                tensor.ExternalData.Add(new StringStringEntryProto { Key = "location", Value = location });
                tensor.ExternalData.Add(new StringStringEntryProto { Key = "offset", Value = $"{data.Length}" });
                tensor.ExternalData.Add(
                    new StringStringEntryProto { Key = "length", Value = $"{tensor.RawData.Length}" });
                data.Write(tensor.RawData.Span);
                tensor.ClearRawData();
                tensor.DataLocation = TensorProto.Types.DataLocation.External;
            }

            File.WriteAllBytes(folder.Sub("weights.data"), data.ToArray());
            File.WriteAllBytes(folder.Sub("split.onnx"), new OnnxModelFile(model).ToBytes());
            return folder.Sub("split.onnx");
        }
    }

    [Test]
    public void InputSizes_AreTried_WhenTheDetectorIsBuilt()
    {
        using var trunk = new TrunkFile(size: 224);
        using FasterRcnn odd = TestDetectors.Build(DetectorPlan.FasterRcnn(trunk.Backbone(3), 90, 61));
        using DisposeScope scope = NewDisposeScope();
        Assert.That(odd.Features(TestDetectors.Images(odd, 2))["/layer3/out"].shape, Is.EqualTo(new long[] { 2, 12, 8, 12 }));
        Assert.That(odd.Detect(TestDetectors.Images(odd, 2)), Has.Count.EqualTo(2));

        var graph = new TestGraph();
        string x = graph.Image(64, 64), weight = graph.Weights("w", -1, 1, 4, 3, 8, 8);
        graph.Node("Conv", "patches", [x, weight], ("kernel_shape", new long[] { 8, 8 }), ("strides", new long[] { 8, 8 }));
        using var folder = new TemporaryFolder();
        File.WriteAllBytes(folder.Sub("patches.onnx"), new OnnxModelFile(graph.Build("patches")).ToBytes());
        Backbone patches = Backbone.FromOnnx(folder.Sub("patches.onnx"), ["patches"]);
        using FasterRcnn whole = TestDetectors.Build(DetectorPlan.FasterRcnn(patches, 96, 64));
        Assert.That(() => TestDetectors.Build(DetectorPlan.FasterRcnn(patches, 100, 64)),
            Throws.ArgumentException.With.Message.Contains("'patches'").And.Message.Contains("12×8").And.Message.Contains("13×8"));
    }
}
