using Microsoft.ML.Distillation.Detectors.Backbones;
using Microsoft.ML.Distillation.Detectors.Boxes;
using Microsoft.ML.Distillation.Detectors.Graphs;
using Microsoft.ML.Distillation.Detectors.Quantization;
using Microsoft.ML.Distillation.Onnx;
using Microsoft.ML.Distillation.Onnx.Proto;
using Microsoft.ML.Distillation.Tests.Tensors;
using TorchSharp;
using static TorchSharp.torch;

namespace Microsoft.ML.Distillation.Tests.Detectors.Graphs;

/// <summary>Networks made of ONNX graphs, as networks: names, training, parts, few bits, devices, memory.</summary>
public class GraphNetworkTests
{
    private const int Size = 64;

    [Test]
    public void StateDict_HasTheGraphsNames()
    {
        using GraphNetwork network = Network();
        Assert.That(network.state_dict().Keys, Is.EquivalentTo(new[]
        {
            "stem_conv.weight", "stem_bn.weight", "stem_bn.bias", "stem_bn.running_mean", "stem_bn.running_var",
            "stem_bn.num_batches_tracked", "block_0_conv.weight", "block_0_conv.bias", "scale", "gamma",
        }));
        Assert.That(network.Convolutions.Select(c => c.Name), Is.EqualTo(new[] { "stem_conv", "block_0_conv" }));
        Assert.That(network.Cut.HasFoldedNorms, Is.False);
    }

    [Test]
    public void BatchNormalisation_FollowsItsBatches_InTrainingAlone()
    {
        using DisposeScope scope = NewDisposeScope();
        using GraphNetwork network = Network();
        Tensor mean = network.state_dict()["stem_bn.running_mean"], before = mean.clone();
        Tensor image = Image().mul(3);
        network.eval();
        network.Run(image);
        Assert.That(TensorArrays.Floats(mean), Is.EqualTo(TensorArrays.Floats(before)));
        network.train();
        network.Run(image);

        // A tenth of each batch, whatever the graph's momentum of .99 was good for.
        Tensor convolved = nn.functional.conv2d(image, network.state_dict()["stem_conv.weight"], padding: [1, 1], strides: [2, 2]);
        Tensor expected = before.mul(0.9).add(convolved.mean([0L, 2, 3]).mul(0.1));
        Assert.That(TensorArrays.Floats(mean), Is.EqualTo(TensorArrays.Floats(expected)).Within(1e-5));
    }

    [Test]
    public void Runs_LeaveNothingBehind()
    {
        using GraphNetwork network = Network();
        using Tensor image = Image();
        Step();
        long before = DisposeScopeManager.Statistics.ThreadTotalLiveCount;
        Step();
        network.eval();
        using (no_grad())
        {
            foreach (Tensor map in network.Run(image)) map.Dispose();
        }

        Assert.That(DisposeScopeManager.Statistics.ThreadTotalLiveCount, Is.EqualTo(before));

        void Step()
        {
            using DisposeScope scope = NewDisposeScope();
            network.Run(image)[0].sum().backward();
            network.zero_grad();
        }
    }

    [Test]
    public void Import_AndConstruction_LeaveNothingBehind()
    {
        ModelProto model = Graph().Build("out");
        Import();
        long before = DisposeScopeManager.Statistics.ThreadTotalLiveCount;
        Import();
        Assert.That(DisposeScopeManager.Statistics.ThreadTotalLiveCount, Is.EqualTo(before));

        void Import()
        {
            GraphCut cut = GraphCut.Import(model, "net.onnx", ["out"]);
            GraphNetwork.Create(cut, Size, Size).Dispose();
        }
    }

    [Test]
    public void Networks_HoldNothingElsewhere_AndMoveWhole()
    {
        using DisposeScope scope = NewDisposeScope();
        using GraphNetwork network = Network();
        network.to(new Device(DeviceType.META));
        Assert.That(StrayTensors.In(network), Is.Empty);
    }

    [Test]
    public void FewBits_AreWritten_WithTheNormFoldedIn()
    {
        using DisposeScope scope = NewDisposeScope();
        using IDisposable frozen = no_grad();
        using GraphNetwork network = Network();
        LowPrecisionLayers.Quantize(network, LowPrecision.W8A8 with { FirstAndLastLayers = true }, []);
        Tensor image = Image();
        LowPrecisionLayers.Calibrate(network, () => network.Run(image));
        network.eval();
        var builder = new GraphBuilder();
        builder.Input("images", TensorProto.Types.DataType.Float, 1, 3, Size, Size);
        string written = network.Write(builder, "images", "backbone")[0];
        builder.Output("answer", written, TensorProto.Types.DataType.Float, 1, 8, Size / 2, Size / 2);
        ModelProto model = builder.Build([]);
        Assert.That(model.Graph.Node.Count(n => n.OpType == "BatchNormalization"), Is.Zero);
        Assert.That(model.Graph.Node.Count(n => n.OpType == "QuantizeLinear"), Is.GreaterThanOrEqualTo(2));
        float[] expected = TensorArrays.Floats(network.Run(image)[0]);
        var found = (float[])OnnxRun.Run(builder, OnnxRun.Value("images", TensorArrays.Floats(image), 1, 3, Size, Size))["answer"];
        Assert.That(found.Zip(expected, (a, b) => Math.Abs(a - b)).Average(), Is.LessThan(0.01));
    }

    [Test]
    public void Convolutions_InParts_RunAndAreWritten()
    {
        using DisposeScope scope = NewDisposeScope();
        using IDisposable frozen = no_grad();
        GraphCut cut = GraphCut.From(Graph().Build("out"), "net.onnx", ["out"]);
        var ranks = new Dictionary<string, IReadOnlyList<int>> { ["block_0_conv"] = [4, 4] };
        using GraphNetwork network = GraphNetwork.Create(cut, Size, Size, ranks);
        Assert.That(network.state_dict().Keys, Does.Contain("block_0_conv.core.weight").And.Not.Contain("block_0_conv.weight"));
        network.eval();
        Tensor image = Image();
        var builder = new GraphBuilder();
        builder.Input("images", TensorProto.Types.DataType.Float, 1, 3, Size, Size);
        builder.Output("answer", network.Write(builder, "images", "backbone")[0], TensorProto.Types.DataType.Float, 1, 8, 32, 32);
        var found = (float[])OnnxRun.Run(builder, OnnxRun.Value("images", TensorArrays.Floats(image), 1, 3, Size, Size))["answer"];
        Assert.That(GraphCheck.Difference(TensorArrays.Floats(network.Run(image)[0]), found), Is.LessThan(1e-4f));
    }

    [Test]
    public void SharedWeights_StayShared()
    {
        var graph = new TestGraph();
        string x = graph.Conv(graph.Image(Size, Size), 3, 4, 3, 2, "stem"), weight = graph.Weights("shared", -0.3f, 0.3f, 4, 4, 3, 3);
        for (int i = 0; i < 2; i++)
            x = graph.Node("Relu", $"relu{i}", [graph.Node("Conv", $"conv{i}", [x, weight], ("pads", new long[] { 1, 1, 1, 1 }))]);
        using GraphNetwork network = ExporterStyleTests.Held(graph, ["relu1"], (96, 64), new FeatureMap("relu1", 4, 2));
        Assert.That(network.named_parameters().Select(p => p.name), Is.EquivalentTo(new[] { "stem.weight", "stem.bias", "shared.weight" }));
    }

    [Test]
    public void Relu_OfWhatIsAMapToo_LeavesItAsItIs()
    {
        var graph = new TestGraph();
        string x = graph.Norm(graph.Conv(graph.Image(Size, Size), 3, 4, 3, 2, "conv", bias: false), 4, "before");
        graph.Node("Relu", "after", [x]);
        ModelProto model = graph.Build("before", "after");
        using GraphNetwork network = ExporterStyleTests.Held(model, ["before", "after"], (96, 64));
        using DisposeScope scope = NewDisposeScope();
        network.eval();
        Assert.That(network.Run(Image())[0].min().item<float>(), Is.LessThan(0));
    }

    [Test]
    public void DilatedConvolutions_AreLayers()
    {
        var graph = new TestGraph();
        string x = graph.Node("Conv", "conv", [graph.Image(Size, Size), graph.Weights("w", -1, 1, 4, 3, 3, 3)],
            ("pads", new long[] { 2, 2, 2, 2 }), ("dilations", new long[] { 2, 2 }), ("strides", new long[] { 2, 2 }));
        graph.Node("Sigmoid", "out", [x]);
        using GraphNetwork network = ExporterStyleTests.Held(graph, ["out"], (96, 64), new FeatureMap("out", 4, 2));
        Assert.That(network.Convolutions.Single().Layer.Dilation, Is.EqualTo(2));
    }

    [Test]
    public void Preprocessing_InTheGraph_IsNotTrained()
    {
        var graph = new TestGraph();
        string x = graph.Node("Sub", "centred", [graph.Image(Size, Size), graph.Weights("mean", 0, 1, 1, 3, 1, 1)]);
        x = graph.Node("Div", "scaled", [x, graph.Weights("deviation", 0.5f, 1, 1, 3, 1, 1)]);
        graph.Conv(x, 3, 4, 3, 2, "out");
        using GraphNetwork network = ExporterStyleTests.Held(graph, ["out"], (96, 64), new FeatureMap("out", 4, 2));
        Assert.That(network.named_parameters().Select(p => p.name), Is.EquivalentTo(new[] { "out.weight", "out.bias" }));
    }

    [Test]
    public void DifferentAnswers_AreNamed_AtTheFirstTensor()
    {
        TestGraph graph = Graph(), other = Graph();
        GraphCut cut = GraphCut.From(graph.Build("out"), "net.onnx", ["out"]);
        other.Graph.Node.Single(n => n.Name == "node_leaky").Attribute[0].F = 0.5f;
        InvalidOperationException error = Assert.Throws<InvalidOperationException>(() => GraphCheck.Require(cut, other.Build("out")))!;
        Assert.That(error.Message, Does.Contain("first at 'leaky'").And.Contain("LeakyRelu 'node_leaky'"));
    }

    // A stem with batch normalisation, a block with a bias, a scale and a free parameter; a constant number.
    private static TestGraph Graph()
    {
        var graph = new TestGraph();
        string x = graph.Norm(graph.Conv(graph.Image(Size, Size), 3, 8, 3, 2, "stem.conv", bias: false), 8, "stem.bn");
        string y = graph.Conv(graph.Node("LeakyRelu", "leaky", [x], ("alpha", 0.1f)), 8, 8, 3, 1, "block.0.conv");
        y = graph.Node("Mul", "scaled", [y, graph.Weights("scale", 0.5f, 1.5f, 8, 1, 1)]);
        y = graph.Node("Add", "shifted", [y, graph.Weights("gamma", -1, 1, 1, 8, 1, 1)]);
        y = graph.Node("Mul", "halved", [y, graph.Floats("half", [0.5f])]);
        graph.Node("Add", "out", [x, y]);
        return graph;
    }

    private static GraphNetwork Network() => GraphNetwork.Create(GraphCut.From(Graph().Build("out"), "net.onnx", ["out"]), Size, Size);

    private static Tensor Image()
    {
        manual_seed(1);
        return randn(1, 3, Size, Size);
    }
}
