using Microsoft.ML.Distillation.Onnx;
using Microsoft.ML.Distillation.Onnx.Proto;

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

    private readonly GraphEditor _graph;

    private OpsetUpgrade(GraphEditor graph) => _graph = graph;

    /// <summary>Whether an operator becomes others.</summary>
    public static bool Knows(string op) => op is "Constant" or "Dropout";

    /// <summary>The same graph in the version.</summary>
    public static GraphEditor Run(GraphReach reach, string source)
    {
        var graph = new GraphEditor(reach.Initializers);
        graph.Reserve(reach.Nodes.SelectMany(n => n.Outputs));
        var upgrade = new OpsetUpgrade(graph);
        foreach (GraphNode node in reach.Nodes) upgrade.Take(node);
        return graph;
    }

    private void Take(GraphNode node)
    {
        switch (node.Op)
        {
            case "Constant": Constant(node); break;
            case "Dropout": _graph.Put("Identity", node.Proto.Name, [node.Input(0)], node.Outputs[0]); break;
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
        else throw new NotSupportedException($"{node.Label} holds a value of a kind that is not supported.");
        _graph.Initializers[name] = value;
    }
}
