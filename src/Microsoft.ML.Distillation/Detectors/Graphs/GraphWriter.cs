using Microsoft.ML.Distillation.Detectors.Boxes;
using Microsoft.ML.Distillation.Onnx;
using Microsoft.ML.Distillation.Onnx.Proto;
using static TorchSharp.torch;

namespace Microsoft.ML.Distillation.Detectors.Graphs;

/// <summary>Writes a cut with its trained parameters into another graph.</summary>
/// <param name="module">The name of the network in the state dict.</param>
/// <param name="parameter">The parameter of an initialiser, and its name in the network's state dict.</param>
internal sealed class GraphWriter(
    GraphBuilder graph, string module, GraphCut cut, Func<string, (string Name, Tensor Values)?> parameter)
{
    // The names in the graph that is written of the values of the cut.
    private readonly Dictionary<string, string> _values = new(StringComparer.Ordinal) { [""] = "" };

    public GraphBuilder Graph => graph;

    /// <summary>The name in the written graph of a value of the cut.</summary>
    public string this[string name]
    {
        get => _values.TryGetValue(name, out string? value) ? value : _values[name] = Initializer(name);
        set => _values[name] = value;
    }

    /// <summary>The name in the state dict of a part of the network.</summary>
    public string NameOf(string part) => $"{module}.{part}";

    /// <summary>Writes an operator as it is.</summary>
    public void Write(GraphNode node)
    {
        string[] outputs = graph.Add(node.Op, [.. node.Inputs.Select(name => this[name])], node.Outputs.Count, node.Attributes());
        for (int i = 0; i < outputs.Length; i++) this[node.Outputs[i]] = outputs[i];
    }

    private string Initializer(string name)
    {
        if (parameter(name) is { } found) return graph.Parameter(NameOf(found.Name), TensorArrays.Floats(found.Values), found.Values.shape);
        TensorProto stored = cut.Initializers[name].Clone();
        stored.Name = "";
        return graph.Add("Constant", [], ("value", stored));
    }
}
