using Microsoft.ML.Distillation.Onnx;
using Microsoft.ML.Distillation.Onnx.Proto;
using static Microsoft.ML.Distillation.Detectors.Graphs.GraphAttributes;

namespace Microsoft.ML.Distillation.Detectors.Graphs;

/// <summary>
/// Brings the operators of a graph to the version that networks are run and written in, so that the rest sees one form of each.
/// </summary>
internal sealed class OpsetUpgrade
{
    /// <summary>The version that results.</summary>
    public const int Version = GraphBuilder.Opset;

    /// <summary>The oldest version that is understood.</summary>
    public const int Lowest = 7;

    private static readonly HashSet<string> Replaced = ["Constant", "Dropout", "Upsample", "Gelu", "GroupNormalization"];

    private readonly GraphEditor _graph;
    private readonly int _opset;

    private OpsetUpgrade(GraphEditor graph, int opset) => (_graph, _opset) = (graph, opset);

    /// <summary>Whether an operator becomes others.</summary>
    public static bool Knows(string op) => Replaced.Contains(op);

    /// <summary>The same graph in the version.</summary>
    /// <exception cref="NotSupportedException">An operator has a form that the version has not.</exception>
    public static GraphEditor Run(GraphReach reach)
    {
        var graph = new GraphEditor(reach.Initializers);
        graph.Reserve(reach.Nodes.SelectMany(n => n.Outputs));
        graph.Reserve([reach.Image.Name]);
        var upgrade = new OpsetUpgrade(graph, reach.Opset);
        foreach (GraphNode node in reach.Nodes) upgrade.Take(node);
        return graph;
    }

    private void Take(GraphNode node)
    {
        switch (node.Op)
        {
            case "Constant": Constant(node); break;
            case "Dropout": Put("Identity", node, [node.Input(0)]); break;
            case "BatchNormalization": BatchNorm(node); break;
            case "Clip" when _opset < 11: Clip(node); break;
            case "Slice" when _opset < 10:
                Keep(node, [Ints(node, "starts"), Ints(node, "ends"), Ints(node, "axes")], "starts", "ends", "axes");
                break;
            case "Pad" when _opset < 11:
                string value = _graph.Floats(node.Outputs[0], [node.Float("value", 0)]);
                Keep(node, [Ints(node, "pads"), value], "pads", "value");
                break;
            case "Squeeze" or "Unsqueeze" or "ReduceSum" when _opset < 13: Keep(node, [Ints(node, "axes")], "axes"); break;
            case var op when op.StartsWith("Reduce", StringComparison.Ordinal) && _opset < 18 && op != "ReduceSum":
                Keep(node, [Ints(node, "axes")], "axes");
                break;
            case "Split": Split(node); break;
            case "Softmax" or "LogSoftmax" when _opset < 13 && node.Int("axis", 1) != -1: Softmax(node); break;
            case "Upsample": Upsample(node); break;
            case "Resize": Resize(node); break;
            case "Gelu": Gelu(node); break;
            case "GroupNormalization": GroupNorm(node); break;
            case "AveragePool" when (node.Ints("dilations") ?? []).Any(d => d != 1): throw Unsupported(node, "dilations");
            case "Cast": _graph.Keep(node, node.Inputs, "saturate"); break;
            default: _graph.Nodes.Add(node); break;
        }
    }

    private void Constant(GraphNode node)
    {
        string name = node.Outputs[0];
        TensorProto value;
        if (node.Tensor("value") is { } tensor) (value = tensor.Clone()).Name = name;
        else if (node.Ints("value_ints") is { } integers) value = GraphTensors.Integers(name, integers);
        else if (node.Floats("value_floats") is { } floats) value = GraphTensors.Floats(name, floats, floats.Length);
        else if (node.Has("value_float")) value = GraphTensors.Floats(name, [node.Float("value_float", 0)]);
        else if (node.Has("value_int"))
        {
            value = GraphTensors.Integers(name, node.Int("value_int"));
            value.Dims.Clear();
        }
        else throw Unsupported(node, "a value of that kind");
        _graph.Initializers[name] = value;
    }

    private void BatchNorm(GraphNode node)
    {
        if (node.Int("spatial", 1) == 0) throw Unsupported(node, "spatial = 0");
        if (node.Flag("training_mode")) throw Unsupported(node, "training_mode = 1: the model was exported in training mode");
        _graph.Keep(node, node.Inputs, "spatial", "training_mode");
        NodeProto kept = _graph.Nodes[^1].Proto;
        while (kept.Output.Count > 1) kept.Output.RemoveAt(1);
    }

    private void Clip(GraphNode node)
    {
        string low = node.Has("min") ? _graph.Floats(node.Outputs[0], [node.Float("min", 0)]) : "";
        string high = node.Has("max") ? _graph.Floats(node.Outputs[0], [node.Float("max", 0)]) : "";
        Keep(node, high.Length > 0 ? [low, high] : [low], "min", "max");
    }

    private void Split(GraphNode node)
    {
        if (_opset < 13 && node.Has("split")) Keep(node, [Ints(node, "split")], "split");
        else if (node.Input(1).Length > 0 || node.Has("num_outputs")) _graph.Nodes.Add(node);
        else
        {
            Keep(node, []);
            _graph.Nodes[^1].Proto.Attribute.Add(Of("num_outputs", (long)node.Outputs.Count));
        }
    }

    // Before opset 13 it takes all axes from the named one on together.
    private void Softmax(GraphNode node)
    {
        string x = node.Input(0), stem = node.Outputs[0];
        string flat = _graph.Add("Flatten", stem, [x], Of("axis", node.Int("axis", 1)));
        Put("Reshape", node, [_graph.Add(node.Op, stem, [flat], Of("axis", -1L)), _graph.Add("Shape", stem, [x])]);
    }

    private void Upsample(GraphNode node)
    {
        string scales = node.Floats("scales") is { } own ? _graph.Floats(node.Outputs[0], own, own.Length) : node.Input(1);
        Put("Resize", node, [node.Input(0), "", scales], Of("mode", Mode(node)), Of("coordinate_transformation_mode", "asymmetric"),
            Of("nearest_mode", "floor"));
    }

    private void Resize(GraphNode node)
    {
        if (_opset < 11)
        {
            Upsample(node);
            return;
        }

        // Region and scales may be there without values.
        string sizes = node.Input(3), scales = node.Input(2);
        if (_graph.Initializers.TryGetValue(sizes, out TensorProto? none) && GraphTensors.Count(none) == 0) sizes = "";
        if (sizes.Length > 0) scales = "";
        string coordinates = node.Text("coordinate_transformation_mode", "half_pixel");
        if (coordinates is "tf_half_pixel_for_nn" or "tf_crop_and_resize") throw Unsupported(node, $"the coordinates '{coordinates}'");
        _graph.Keep(node, sizes.Length > 0 ? [node.Input(0), "", "", sizes] : [node.Input(0), "", scales]);
    }

    private static string Mode(GraphNode node) => node.Text("mode", "nearest") is var mode && mode == "bilinear" ? "linear" : mode;

    private void Gelu(GraphNode node)
    {
        string x = node.Input(0), stem = node.Outputs[0], one = _graph.Floats(stem, [1]), half = _graph.Floats(stem, [0.5f]), inner;
        if (node.Text("approximate", "none") == "tanh")
        {
            string cube = _graph.Add("Mul", stem, [_graph.Add("Mul", stem, [x, x]), x]);
            string sum = _graph.Add("Add", stem, [x, _graph.Add("Mul", stem, [cube, _graph.Floats(stem, [0.044715f])])]);
            inner = _graph.Add("Tanh", stem, [_graph.Add("Mul", stem, [sum, _graph.Floats(stem, [0.7978845608f])])]);
        }
        else
        {
            inner = _graph.Add("Erf", stem, [_graph.Add("Mul", stem, [x, _graph.Floats(stem, [0.7071067812f])])]);
        }

        string product = _graph.Add("Mul", stem, [x, _graph.Add("Add", stem, [inner, one])]);
        Put("Mul", node, [product, half]);
    }

    // Until opset 20 scale and bias are those of groups, then those of channels.
    private void GroupNorm(GraphNode node)
    {
        string x = node.Input(0), stem = node.Outputs[0];
        int groups = (int)node.Int("num_groups");
        float epsilon = node.Float("epsilon", 1e-5f);
        string parts = _graph.Add("Reshape", stem, [x, _graph.Integers(stem, 0, groups, -1)]);
        string scale = _opset < 21 ? node.Input(1) : _graph.Floats(stem, [.. Enumerable.Repeat(1f, groups)], groups);
        string bias = _opset < 21 ? node.Input(2) : _graph.Floats(stem, new float[groups], groups);
        string normal = _graph.Add("InstanceNormalization", stem, [parts, scale, bias], Of("epsilon", epsilon));
        string shape = _graph.Add("Shape", stem, [x]);
        if (_opset < 21)
        {
            Put("Reshape", node, [normal, shape]);
            return;
        }

        // Scale and bias become as long as the map has axes behind its first, all but the channels' of length 1.
        string ones = _graph.Add("Expand", stem,
            [_graph.Integers(stem, 1), _graph.Add("Sub", stem, [_graph.Add("Shape", stem, [shape]), _graph.Integers(stem, 2)])]);
        string wide = _graph.Add("Concat", stem, [_graph.Integers(stem, -1), ones], Of("axis", 0L));
        string scaled = _graph.Add("Mul", stem,
            [_graph.Add("Reshape", stem, [normal, shape]), _graph.Add("Reshape", stem, [node.Input(1), wide])]);
        Put("Add", node, [scaled, _graph.Add("Reshape", stem, [node.Input(2), wide])]);
    }

    private void Put(string op, GraphNode node, IEnumerable<string> inputs, params ReadOnlySpan<AttributeProto> attributes)
        => _graph.Put(op, node.Proto.Name, inputs, node.Outputs[0], attributes);

    /// <summary>Keeps a node, attributes having become inputs behind its first.</summary>
    private void Keep(GraphNode node, string[] inputs, params ReadOnlySpan<string> without)
    {
        while (inputs is [.., ""]) inputs = inputs[..^1];
        _graph.Keep(node, [node.Input(0), .. inputs], without);
    }

    private string Ints(GraphNode node, string attribute)
        => node.Ints(attribute) is { } values ? _graph.Integers(node.Outputs[0], values) : "";

    private static NotSupportedException Unsupported(GraphNode node, string what)
        => new($"{node.Label} has {what}, which is not supported.");
}
