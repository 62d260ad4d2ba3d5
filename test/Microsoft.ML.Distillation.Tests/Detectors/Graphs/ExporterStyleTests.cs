using Microsoft.ML.Distillation.Detectors.Backbones;
using Microsoft.ML.Distillation.Detectors.Boxes;
using Microsoft.ML.Distillation.Detectors.Graphs;
using Microsoft.ML.Distillation.Onnx;
using Microsoft.ML.Distillation.Onnx.Proto;
using TorchSharp;
using static TorchSharp.torch;

namespace Microsoft.ML.Distillation.Tests.Detectors.Graphs;

/// <summary>Small networks as the exporters of the field write them.</summary>
public class ExporterStyleTests
{
    [Test]
    public void Cntk_OpsetEight_UnevenPads()
    {
        var graph = new TestGraph(8);
        string x = graph.Image(64, 64, "data");
        x = graph.Node("Conv", "Convolution92_Output_0", [x, graph.Weights("Parameter91", -0.2f, 0.2f, 8, 3, 7, 7)],
            ("kernel_shape", new long[] { 7, 7 }), ("strides", new long[] { 2, 2 }), ("pads", new long[] { 3, 3, 2, 2 }),
            ("auto_pad", "NOTSET"), ("dilations", new long[] { 1, 1 }), ("group", 1));
        x = graph.Node("BatchNormalization", "BatchNormalization103_Output_0",
        [
            x, graph.Weights("Parameter102", 0.5f, 1.5f, 8), graph.Weights("Parameter101", -0.5f, 0.5f, 8),
            graph.Weights("Parameter100", -0.5f, 0.5f, 8), graph.Weights("Parameter99", 0.5f, 1.5f, 8),
        ], ("epsilon", 1e-5f), ("momentum", 0f), ("spatial", 1));
        x = graph.Node("Relu", "ReLU106_Output_0", [x]);
        x = graph.Node("MaxPool", "Pooling108_Output_0", [x], ("kernel_shape", new long[] { 3, 3 }), ("strides", new long[] { 2, 2 }),
            ("pads", new long[] { 0, 0, 1, 1 }), ("auto_pad", "NOTSET"));
        string y = graph.Node("Conv", "Convolution112_Output_0", [x, graph.Weights("Parameter111", -0.2f, 0.2f, 8, 8, 3, 3)],
            ("kernel_shape", new long[] { 3, 3 }), ("strides", new long[] { 1, 1 }), ("pads", new long[] { 1, 1, 1, 1 }));
        graph.Node("Relu", "out", [graph.Node("Add", "Plus128_Output_0", [y, x])]);
        GraphNetwork network = Held(graph, ["out"], (96, 64), new FeatureMap("out", 8, 4));
        Assert.That(network.state_dict().Keys, Does.Contain("Parameter91").And.Contain("Parameter111.weight")
            .And.Contain("Parameter102.running_mean"));
    }

    [Test]
    public void TensorFlow_ChannelsLast_Transposes()
    {
        var graph = new TestGraph(11);
        string x = graph.Input("input:0", -1, 64, 64, 3);
        x = graph.Node("Transpose", "Conv1__6:0", [x], ("perm", new long[] { 0, 3, 1, 2 }));
        x = graph.Node("Conv", "model/Conv1/Conv2D:0", [x, graph.Weights("model/Conv1/kernel:0", -0.3f, 0.3f, 8, 3, 3, 3)],
            ("auto_pad", "SAME_UPPER"), ("strides", new long[] { 2, 2 }), ("kernel_shape", new long[] { 3, 3 }));
        x = graph.Norm(x, 8, "model/bn_Conv1");
        x = graph.Node("Clip", "model/Conv1_relu/Relu6:0", [x, graph.Floats("zero__1", [0f]), graph.Floats("six__2", [6f])]);
        x = graph.Node("Pad", "model/Conv_1_pad/Pad:0", [x, graph.Integers("pads", 0, 0, 0, 0, 0, 0, 1, 1)]);
        x = graph.Node("Conv", "model/depthwise:0", [x, graph.Weights("model/depthwise/kernel:0", -0.3f, 0.3f, 8, 1, 3, 3)],
            ("auto_pad", "VALID"), ("strides", new long[] { 2, 2 }), ("group", 8), ("kernel_shape", new long[] { 3, 3 }));
        x = graph.Node("Transpose", "model/nhwc:0", [x], ("perm", new long[] { 0, 2, 3, 1 }));
        string bias = graph.Weights("model/bias", -1, 1, 8);
        x = graph.Node("Add", "model/BiasAdd:0", [x, bias]);
        graph.Node("Relu", "out:0", [x]);
        GraphNetwork network = Held(graph, ["out:0"], (96, 128), new FeatureMap("out:0", 8, 4));
        Assert.That(network.state_dict().Keys, Does.Contain("model_bias"));
    }

    [Test]
    public void TensorFlow_ImagesOfBytes_AreHeldToOnnxRuntime()
    {
        var graph = new TestGraph(13);
        string x = graph.Input("image_tensor:0", 1, 64, 64, 3);
        graph.Graph.Input[0].Type.TensorType.ElemType = (int)TensorProto.Types.DataType.Uint8;
        x = graph.Node("Cast", "Cast:0", [x], ("to", 1));
        x = graph.Node("Sub", "sub:0", [graph.Node("Mul", "mul:0", [x, graph.Floats("scale", [2f / 255])]), graph.Floats("one", [1f])]);
        x = graph.Node("Transpose", "nchw:0", [x], ("perm", new long[] { 0, 3, 1, 2 }));
        graph.Conv(x, 3, 4, 3, 2, "out");
        GraphCut cut = GraphCut.Import(graph.Build("out"), "test.onnx", ["out"]);
        using GraphNetwork network = GraphNetwork.Create(cut, 64, 64);
        Assert.That(network.Maps.Single(), Is.EqualTo(new FeatureMap("out", 4, 2)));
        Assert.That(network.named_parameters().Select(p => p.name), Is.EquivalentTo(new[] { "out.weight", "out.bias" }));
    }

    [TestCase(true)]
    [TestCase(false)]
    public void PyTorch_ChannelShuffle_SizesSpelledOut(bool folded)
    {
        var graph = new TestGraph(13);
        string x = Layer(graph.Image(64, 64, "input.1"), 3, 8, 3, 2, "stage1.0");
        x = graph.Node("MaxPool", "pool", [x], ("kernel_shape", new long[] { 3, 3 }), ("strides", new long[] { 2, 2 }),
            ("pads", new long[] { 1, 1, 1, 1 }), ("ceil_mode", 0));
        string[] halves = graph.Node("Split", "split", [x, graph.Integers("halves", 4, 4)], ["left", "right"], ("axis", 1));
        string right = Layer(Layer(halves[1], 4, 4, 1, 1, "stage2.0"), 4, 4, 3, 1, "stage2.1", groups: 4);
        x = graph.Node("Concat", "cat", [halves[0], right], ("axis", 1));
        x = graph.Node("Reshape", "view1", [x, graph.Integers("onnx::Reshape_55", 1, 2, 4, 16, 16)]);
        x = graph.Node("Transpose", "shuffle", [x], ("perm", new long[] { 0, 2, 1, 3, 4 }));
        x = graph.Node("Reshape", "view2", [x, graph.Integers("onnx::Reshape_58", 1, -1, 16, 16)]);
        x = graph.Node("Slice", "cut", [x, graph.Integers("from", 0, 0), graph.Integers("to", 16, 16), graph.Integers("axes", 2, 3)]);
        string fine = graph.Node("Identity", "fine", [Layer(x, 8, 8, 3, 1, "neck")]);
        string scale = graph.Node("AveragePool", "squeeze", [fine], ("kernel_shape", new long[] { 16, 16 }));
        scale = graph.Node("HardSigmoid", "gate", [graph.Conv(scale, 8, 8, 1, 1, "se.fc")], ("alpha", 1f / 6), ("beta", 0.5f));
        string coarse = Layer(graph.Node("Mul", "excited", [fine, scale]), 8, 16, 3, 2, "stage3");
        string up = graph.Node("Resize", "up", [coarse, "", "", graph.Integers("sizes", 1, 16, 16, 16)], ("mode", "nearest"),
            ("coordinate_transformation_mode", "asymmetric"), ("nearest_mode", "floor"));
        graph.Node("Concat", "top", [up, fine], ("axis", 1));
        GraphNetwork network = Held(graph, ["top", coarse], (96, 128), new FeatureMap("top", 24, 4), new FeatureMap(coarse, 16, 8));
        Assert.That(network.Cut.HasFoldedNorms, Is.EqualTo(folded));
        ConvLayer layer = network.Convolutions.First(c => c.Name == "stage2_0_conv").Layer;
        Assert.That(layer.Norm is null, Is.EqualTo(folded));

        string Layer(string input, int from, int to, int kernel, int stride, string name, int groups = 1)
        {
            string y = graph.Conv(input, from, to, kernel, stride, $"{name}.conv", groups, bias: folded);
            return graph.Node("Relu", $"{name}.relu", [folded ? y : graph.Norm(y, to, $"{name}.bn")]);
        }
    }

    [Test]
    public void PyTorch_SizesComputed_OfShapes()
    {
        var graph = new TestGraph(11);
        string x = graph.Node("Relu", "stem", [graph.Conv(graph.Input("images", -1, 3, -1, -1), 3, 8, 3, 2, "conv")]);
        string low = graph.Node("Relu", "low", [graph.Conv(x, 8, 8, 3, 2, "down")]);

        // Upsampling to the size of another map, as older exporters write it.
        string shape = graph.Node("Shape", "shape", [x]);
        string height = graph.Node("Gather", "h", [shape, graph.Integer("two", 2)], ("axis", 0));
        string width = graph.Node("Gather", "w", [shape, graph.Integer("three", 3)], ("axis", 0));
        string size = graph.Node("Concat", "hw",
        [
            graph.Node("Unsqueeze", "h1", [height], ("axes", new long[] { 0 })),
            graph.Node("Unsqueeze", "w1", [width], ("axes", new long[] { 0 })),
        ], ("axis", 0));
        string whole = graph.Node("Shape", "lowShape", [low]);
        string front = graph.Node("Slice", "nc", [whole, graph.Integers("s0", 0), graph.Integers("e2", 2)]);
        string sizes = graph.Node("Concat", "sizes", [front, graph.Node("Cast", "long", [size], ("to", 7))], ("axis", 0));
        string up = graph.Node("Resize", "up", [low, graph.Floats("roi", [], 0), graph.Floats("none", [], 0), sizes], ("mode", "linear"),
            ("coordinate_transformation_mode", "align_corners"));
        graph.Node("Add", "out", [up, x]);
        Held(graph, ["out"], (72, 104), new FeatureMap("out", 8, 2));
    }

    [Test]
    public void Paddle_DottedNames_ScalarScales()
    {
        var graph = new TestGraph(11);
        string x = graph.Image(64, 64, "x");
        x = graph.Node("Conv", "conv2d_94.tmp_0", [x, graph.Weights("conv2d_0.w_0", -0.3f, 0.3f, 8, 3, 3, 3)],
            ("dilations", new long[] { 1, 1 }), ("strides", new long[] { 2, 2 }), ("pads", new long[] { 1, 1, 1, 1 }), ("group", 1));
        x = graph.Norm(x, 8, "batch_norm_0");
        string three = graph.Node("Constant", "Constant_0", [], ("value", GraphTensors.Floats("", [3f], 1)));
        string sixth = graph.Node("Constant", "Constant_1", [], ("value", GraphTensors.Floats("", [1f / 6], 1)));
        string gate = graph.Node("Clip", "clip",
            [graph.Node("Add", "p2o.Add.0", [x, three]), graph.Floats("min", [0f]), graph.Floats("max", [6f])]);
        x = graph.Node("Mul", "p2o.Mul.1", [graph.Node("Mul", "p2o.Mul.0", [x, gate]), sixth]);
        x = graph.Node("Conv", "conv2d_95.tmp_0", [x, graph.Weights("conv2d_1.w_0", -0.3f, 0.3f, 8, 8, 1, 1)],
            ("dilations", new long[] { 1, 1 }), ("strides", new long[] { 1, 1 }), ("pads", new long[] { 0, 0, 0, 0 }), ("group", 1));
        string bias = graph.Node("Reshape", "p2o.Reshape.0",
            [graph.Weights("conv2d_1.b_0", -1, 1, 8), graph.Integers("bshape", 1, 8, 1, 1)]);
        x = graph.Node("Add", "p2o.Add.2", [x, bias]);
        graph.Node("LeakyRelu", "leaky_relu_0.tmp_0", [x], ("alpha", 0.1f));
        GraphNetwork network = Held(graph, ["leaky_relu_0.tmp_0"], (96, 64), new FeatureMap("leaky_relu_0.tmp_0", 8, 2));
        Assert.That(network.state_dict().Keys, Does.Contain("conv2d_0.weight").And.Contain("p2o_Reshape_0"));
        Assert.That(network.parameters().Count(), Is.EqualTo(2 + 2 + 1));
    }

    [Test]
    public void VisionTransformer_Block_OfOneImage()
    {
        const int width = 16, heads = 2;
        var graph = new TestGraph(17);
        string x = graph.Node("Conv", "patches", [graph.Image(64, 64), graph.Weights("patch.weight", -0.1f, 0.1f, width, 3, 8, 8)],
            ("strides", new long[] { 8, 8 }), ("kernel_shape", new long[] { 8, 8 }));
        x = graph.Node("Reshape", "flat", [x, graph.Integers("flat.shape", 1, width, 64)]);
        x = graph.Node("Transpose", "tokens", [x], ("perm", new long[] { 0, 2, 1 }));
        x = graph.Node("Concat", "with class", [graph.Weights("cls_token", -1, 1, 1, 1, width), x], ("axis", 1));
        x = graph.Node("Add", "positions", [x, graph.Weights("pos_embed", -1, 1, 1, 65, width)]);
        string normal = graph.Node("LayerNormalization", "norm1",
            [x, graph.Weights("norm1.weight", 0.5f, 1.5f, width), graph.Weights("norm1.bias", -1, 1, width)],
            ("axis", -1), ("epsilon", 1e-6f));
        string qkv = graph.Node("Add", "qkv", [graph.Weights("qkv.bias", -1, 1, 3 * width),
            graph.Node("MatMul", "qkv.product", [normal, graph.Weights("onnx::MatMul_9", -0.3f, 0.3f, width, 3 * width)])]);
        qkv = graph.Node("Reshape", "split heads", [qkv, graph.Integers("heads.shape", 1, 65, 3, heads, width / heads)]);
        qkv = graph.Node("Transpose", "heads", [qkv], ("perm", new long[] { 2, 0, 3, 1, 4 }));
        string[] parts = [.. Enumerable.Range(0, 3)
            .Select(i => graph.Node("Gather", $"part{i}", [qkv, graph.Integer($"i{i}", i)], ("axis", 0)))];
        string logits = graph.Node("MatMul", "logits",
        [
            graph.Node("Mul", "scaled", [parts[0], graph.Floats("scale", [0.35f])]),
            graph.Node("Transpose", "keys", [parts[1]], ("perm", new long[] { 0, 1, 3, 2 })),
        ]);
        string mixed = graph.Node("MatMul", "mixed", [graph.Node("Softmax", "attention", [logits], ("axis", -1)), parts[2]]);
        mixed = graph.Node("Reshape", "merged", [graph.Node("Transpose", "back", [mixed], ("perm", new long[] { 0, 2, 1, 3 })),
            graph.Integers("merged.shape", 1, 65, width)]);
        x = graph.Node("Add", "residual", [x, mixed]);
        string inner = graph.Node("Erf", "erf", [graph.Node("Div", "by root", [x, graph.Floats("root", [1.4142135f])])]);
        x = graph.Node("Mul", "gelu", [graph.Node("Mul", "x half", [x, graph.Floats("half", [0.5f])]),
            graph.Node("Add", "plus one", [inner, graph.Floats("one", [1f])])]);
        x = graph.Node("Slice", "without class", [x, graph.Integers("s1", 1), graph.Integers("e65", 65), graph.Integers("a1", 1)]);
        x = graph.Node("Transpose", "channels", [x], ("perm", new long[] { 0, 2, 1 }));
        graph.Node("Reshape", "map", [x, graph.Integers("map.shape", 1, width, 8, 8)]);
        GraphNetwork network = Held(graph, ["map"], null, new FeatureMap("map", width, 8));
        Assert.That(network.state_dict().Keys, Does.Contain("cls_token").And.Contain("pos_embed").And.Contain("onnx__MatMul_9"));
        ArgumentException error = Assert.Throws<ArgumentException>(() => GraphNetwork.Create(network.Cut, 96, 96))!;
        Assert.That(error.Message, Does.Contain("positions").And.Contain("64×64"));
    }

    [Test]
    public void PyTorch_ShuffleThroughMergedAxes_OfOneImage()
    {
        var graph = new TestGraph(11);
        string x = graph.Conv(graph.Image(64, 64), 3, 8, 3, 2, "stem");

        // Megvii's shuffle: view(b * c / 2, 2, h * w), permute(1, 0, 2), reshape(2, -1, c / 2, h, w), then each of the two.
        x = graph.Node("Reshape", "view", [x, graph.Integers("s1", 4, 2, 1024)]);
        x = graph.Node("Transpose", "permuted", [x], ("perm", new long[] { 1, 0, 2 }));
        x = graph.Node("Reshape", "halves", [x, graph.Integers("s2", 2, -1, 4, 32, 32)]);
        string[] halves = [.. Enumerable.Range(0, 2)
            .Select(i => graph.Node("Gather", $"half{i}", [x, graph.Integer($"i{i}", i)], ("axis", 0)))];
        graph.Node("Concat", "out", [halves[0], graph.Conv(halves[1], 4, 4, 3, 1, "branch")], ("axis", 1));
        Held(graph, ["out"], (96, 128), new FeatureMap("out", 8, 2));
    }

    [Test]
    public void AttentionOverCells_OfOneImage_TakesAnySize()
    {
        // As in YOLO's later versions: cells become tokens and cells again.
        var graph = new TestGraph(13);
        string x = graph.Conv(graph.Image(64, 64), 3, 8, 3, 4, "stem");
        string qkv = graph.Node("Reshape", "qkv", [graph.Conv(x, 8, 24, 1, 1, "qkv.conv"), graph.Integers("s1", 1, 2, 12, 256)]);
        string[] parts = graph.Node("Split", "split", [qkv, graph.Integers("sizes", 4, 4, 4)], ["q", "k", "v"], ("axis", 2));
        string turned = graph.Node("Transpose", "qt", [parts[0]], ("perm", new long[] { 0, 1, 3, 2 }));
        string scaled = graph.Node("Mul", "scaled", [graph.Node("MatMul", "logits", [turned, parts[1]]), graph.Floats("scale", [0.5f])]);
        string weights = graph.Node("Softmax", "weights", [scaled], ("axis", -1));
        turned = graph.Node("Transpose", "wt", [weights], ("perm", new long[] { 0, 1, 3, 2 }));
        string mixed = graph.Node("MatMul", "mixed", [parts[2], turned]);
        string back = graph.Node("Reshape", "back", [mixed, graph.Integers("s2", 1, 8, 16, 16)]);
        graph.Node("Add", "out", [x, back]);
        Held(graph, ["out"], (96, 128), new FeatureMap("out", 8, 4));
    }

    [Test]
    public void Windows_OfOneImage_BindTheSize_NotTheNumber()
    {
        // As in Swin: the map is taken apart into windows, whose number is then the first axis.
        var graph = new TestGraph(17);
        string x = graph.Conv(graph.Image(64, 64), 3, 8, 3, 4, "stem");
        x = graph.Node("Transpose", "last", [x], ("perm", new long[] { 0, 2, 3, 1 }));
        x = graph.Node("Reshape", "rows", [x, graph.Integers("s1", 1, 4, 4, 4, 4, 8)]);
        x = graph.Node("Transpose", "windows", [x], ("perm", new long[] { 0, 1, 3, 2, 4, 5 }));
        x = graph.Node("Reshape", "flat", [x, graph.Integers("s2", 16, 16, 8)]);
        x = graph.Node("MatMul", "mixed", [graph.Weights("mix", -0.3f, 0.3f, 16, 16), x]);
        x = graph.Node("Reshape", "apart", [x, graph.Integers("s3", 1, 4, 4, 4, 4, 8)]);
        x = graph.Node("Transpose", "together", [x], ("perm", new long[] { 0, 1, 3, 2, 4, 5 }));
        graph.Node("Reshape", "out", [x, graph.Integers("s4", 1, 16, 16, 8)]);
        GraphNetwork network = Held(graph, ["out"], null, new FeatureMap("out", 8, 4));
        ArgumentException error = Assert.Throws<ArgumentException>(() => GraphNetwork.Create(network.Cut, 96, 96))!;
        Assert.That(error.Message, Does.Contain("Reshape 'node_rows'"));
    }

    [Test]
    public void Sizes_ThatCannotBeTold_BindTheGraph()
    {
        var graph = new TestGraph(11);
        string x = graph.Conv(graph.Image(64, 64), 3, 8, 3, 2, "stem");

        // A crop to 20 rows of 32, wherever they come from.
        x = graph.Node("Slice", "crop", [x, graph.Integers("s", 0), graph.Integers("e", 20), graph.Integers("a", 2)]);
        graph.Node("Resize", "out", [x, graph.Floats("roi", [], 0), graph.Floats("none", [], 0), graph.Integers("sizes", 1, 8, 32, 32)],
            ("mode", "nearest"));
        GraphNetwork network = Held(graph, ["out"], null, new FeatureMap("out", 8, 2));
        ArgumentException error = Assert.Throws<ArgumentException>(() => GraphNetwork.Create(network.Cut, 96, 96))!;
        Assert.That(error.Message, Does.Contain("Slice 'node_crop'").And.Contain("64×64").And.Contain("96×96"));
    }

    [Test]
    public void Swish_OfSigmoidAndMul()
    {
        var graph = new TestGraph(12);
        string x = graph.Conv(graph.Image(64, 64), 3, 8, 3, 2, "model.0.conv");
        x = graph.Node("Mul", "model.0/act", [x, graph.Node("Sigmoid", "model.0/sigmoid", [x])]);

        // YOLO's spatial pyramid pooling.
        string[] pools = [.. new long[] { 5, 9 }.Select(k => graph.Node("MaxPool", $"pool{k}", [x], ("kernel_shape", new[] { k, k }),
            ("strides", new long[] { 1, 1 }), ("pads", new[] { k / 2, k / 2, k / 2, k / 2 })))];
        graph.Node("Concat", "out", [x, .. pools], ("axis", 1));
        Held(graph, ["out"], (96, 64), new FeatureMap("out", 24, 2));
    }

    /// <summary>
    /// Imports a graph and holds the network to what is asked of every one: ONNX Runtime's answers, as written too, also when rebuilt
    /// without values; gradients of all parameters; images of another size.
    /// </summary>
    internal static GraphNetwork Held(TestGraph graph, string[] maps, (int Height, int Width)? other, params FeatureMap[] expected)
    {
        GraphNetwork network = Held(graph.Build(maps), maps, other);
        Assert.That(network.Maps, Is.EqualTo(expected));
        return network;
    }

    /// <inheritdoc cref="Held(TestGraph, string[], ValueTuple{int, int}?, FeatureMap[])"/>
    internal static GraphNetwork Held(ModelProto model, string[] maps, (int Height, int Width)? other)
    {
        GraphCut cut = GraphCut.Import(model, "test.onnx", maps);
        GraphNetwork network = GraphNetwork.Create(cut, cut.Size.Height, cut.Size.Width);
        network.eval();
        Answers(network, model, cut.Size.Height, cut.Size.Width);
        if (other is { } size)
        {
            using var resized = GraphNetwork.Create(cut, size.Height, size.Width);
            resized.eval();
            Runs(resized, size.Height, size.Width);
        }

        Trains(network, cut.Size.Height, cut.Size.Width);
        return network;
    }

    // The network, the network rebuilt from its description, and what is written of it, against ONNX Runtime.
    private static void Answers(GraphNetwork network, ModelProto model, int height, int width)
    {
        using DisposeScope scope = NewDisposeScope();
        Tensor image = Image(1, height, width);
        float[][] found = Runs(network, height, width);
        for (int i = 0; i < found.Length; i++)
        {
            ModelProto exposed = GraphSurgery.Expose(model, [network.Maps[i].Name], "test.onnx");
            float[] expected = TestGraph.Run(exposed, network.Cut.Input.ChannelsLast ? image.permute(0, 2, 3, 1).contiguous() : image,
                network.Maps[i].Name);

            // Maps with the channels last come out with the channels first.
            if (GraphCheck.Difference(found[i], expected) > 1e-4f)
            {
                long[] shape = [1, height / network.Maps[i].Stride, width / network.Maps[i].Stride, network.Maps[i].Channels];
                expected = TensorArrays.Floats(tensor(expected, shape).permute(0, 3, 1, 2));
            }

            Assert.That(GraphCheck.Difference(found[i], expected), Is.LessThan(1e-4f), network.Maps[i].Name);
        }

        ModelProto description = ModelProto.Parser.ParseFrom(Google.Protobuf.MessageExtensions.ToByteArray(network.Cut.ToModel(false)));
        using var copy = GraphNetwork.Create(GraphCut.FromModel(description), height, width);
        Assert.That(copy.Cut.HasValues, Is.False);
        copy.load_state_dict(network.state_dict());
        copy.eval();
        float[][] again = Runs(copy, height, width);
        for (int i = 0; i < found.Length; i++) Assert.That(GraphCheck.Difference(again[i], found[i]), Is.LessThan(1e-5f));
    }

    // The answer for an image, which two images at once and the written graph give too.
    private static float[][] Runs(GraphNetwork network, int height, int width)
    {
        using DisposeScope scope = NewDisposeScope();
        using IDisposable frozen = no_grad();
        Tensor image = Image(1, height, width), two = cat([image, Image(2, height, width)]);
        Tensor[] maps = [.. network.Run(image)], both = [.. network.Run(two)];
        var builder = new GraphBuilder();
        builder.Input("images", TensorProto.Types.DataType.Float, 1, 3, height, width);
        IReadOnlyList<string> written = network.Write(builder, "images", "backbone");
        for (int i = 0; i < maps.Length; i++)
            builder.Output($"map{i}", written[i], TensorProto.Types.DataType.Float, [.. maps[i].shape.Cast<object>()]);
        Dictionary<string, Array> answers = OnnxRun.Run(builder, OnnxRun.Value("images", TensorArrays.Floats(image), 1, 3, height, width));
        for (int i = 0; i < maps.Length; i++)
        {
            float[] values = TensorArrays.Floats(maps[i]);
            Assert.That(GraphCheck.Difference(values, (float[])answers[$"map{i}"]), Is.LessThan(1e-4f), "as written");
            Assert.That(GraphCheck.Difference(TensorArrays.Floats(both[i].narrow(0, 0, 1)), values), Is.LessThan(1e-4f), "of two");
        }

        return [.. maps.Select(TensorArrays.Floats)];
    }

    private static void Trains(GraphNetwork network, int height, int width)
    {
        using DisposeScope scope = NewDisposeScope();
        network.train();
        Tensor loss = zeros(1);
        foreach (Tensor map in network.Run(cat([Image(1, height, width), Image(2, height, width)]))) loss = loss.add(map.square().mean());
        loss.backward();
        foreach ((string name, TorchSharp.Modules.Parameter parameter) in network.named_parameters())
        {
            Assert.That(parameter.grad, Is.Not.Null, name);
            Assert.That(parameter.grad!.abs().sum().item<float>(), Is.GreaterThan(0), name);
        }
    }

    private static Tensor Image(int seed, int height, int width)
    {
        manual_seed(seed);
        return randn(1, 3, height, width);
    }
}
