using Google.Protobuf;
using Microsoft.ML.Distillation.Detectors.Boxes;
using Microsoft.ML.Distillation.Detectors.Graphs;
using Microsoft.ML.Distillation.Onnx;
using Microsoft.ML.Distillation.Onnx.Proto;
using TorchSharp;
using static TorchSharp.torch;

namespace Microsoft.ML.Distillation.Tests.Detectors.Graphs;

/// <summary>Networks made of ONNX graphs.</summary>
public class GraphNetworkTests
{
    [Test]
    public void Cut_OfAGraph_AnswersAsOnnxRuntime()
    {
        using DisposeScope scope = NewDisposeScope();
        var graph = new TestGraph();
        string x = graph.Conv(graph.Image(64, 64), 3, 8, 3, stride: 2, "conv1");
        x = graph.Node("Relu", "relu1", [graph.Norm(x, 8, "bn1")]);
        x = graph.Node("MaxPool", "pool", [x], ("kernel_shape", new long[] { 3, 3 }), ("strides", new long[] { 2, 2 }),
            ("pads", new long[] { 1, 1, 1, 1 }));
        string y = graph.Conv(x, 8, 8, 3, stride: 1, "layer1.0.conv1");
        x = graph.Node("Relu", "out", [graph.Node("Add", "sum", [x, y])]);
        ModelProto model = graph.Build("out");
        GraphCut cut = GraphCut.From(model, "test", ["out"]);
        using GraphNetwork network = GraphNetwork.Create(cut, 64, 64);
        Assert.That(network.Maps.Single(), Is.EqualTo(new Microsoft.ML.Distillation.Detectors.Backbones.FeatureMap("out", 8, 4)));
        network.eval();
        manual_seed(1);
        Tensor image = rand(1, 3, 64, 64);
        float[] expected = graph.Run(image, "out");
        Assert.That(TensorArrays.Floats(network.Run(image).Single()), Is.EqualTo(expected).Within(1e-4f));
        Assert.That(network.state_dict().Keys, Is.EquivalentTo(new[]
        {
            "conv1.weight", "conv1.bias", "bn1.weight", "bn1.bias", "bn1.running_mean", "bn1.running_var", "bn1.num_batches_tracked",
            "layer1_0_conv1.weight", "layer1_0_conv1.bias",
        }));
        var builder = new GraphBuilder();
        builder.Input("images", TensorProto.Types.DataType.Float, 1, 3, 64, 64);
        string written = network.Write(builder, "images", "backbone").Single();
        builder.Output("answer", written, TensorProto.Types.DataType.Float, 1, 8, 16, 16);
        float[] again = (float[])OnnxRun.Run(builder, OnnxRun.Value("images", TensorArrays.Floats(image), 1, 3, 64, 64))["answer"];
        Assert.That(again, Is.EqualTo(expected).Within(1e-4f));
        GraphCut reloaded = GraphCut.FromModel(ModelProto.Parser.ParseFrom(cut.ToModel(values: false).ToByteArray()));
        using GraphNetwork copy = GraphNetwork.Create(reloaded, 64, 64);
        copy.load_state_dict(network.state_dict());
        copy.eval();
        Assert.That(TensorArrays.Floats(copy.Run(image).Single()), Is.EqualTo(expected).Within(1e-4f));
    }
}
