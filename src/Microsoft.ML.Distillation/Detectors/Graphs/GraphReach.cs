using Microsoft.ML.Distillation.Detectors.Graphs.Operators;
using Microsoft.ML.Distillation.Files;
using Microsoft.ML.Distillation.Onnx;
using Microsoft.ML.Distillation.Onnx.Proto;

namespace Microsoft.ML.Distillation.Detectors.Graphs;

/// <summary>What some tensors of a graph are computed of.</summary>
/// <param name="Nodes">The operators, in the graph's order.</param>
/// <param name="Initializers">The graph's constants and parameters.</param>
/// <param name="Image">The one input.</param>
/// <param name="Opset">The version of the operators.</param>
internal sealed record GraphReach(
    IReadOnlyList<GraphNode> Nodes, IReadOnlyDictionary<string, TensorProto> Initializers, ValueInfoProto Image, int Opset)
{
    /// <summary>ONNX's number of the type, which our part of its description does not name.</summary>
    private const long BFloat16 = 16;

    private static readonly HashSet<string> Control = ["If", "Loop", "Scan", "SequenceMap"];

    private static readonly HashSet<string> Quantised =
        ["QLinearConv", "QLinearMatMul", "ConvInteger", "MatMulInteger", "QuantizeLinear", "DequantizeLinear", "DynamicQuantizeLinear"];

    /// <summary>Follows tensors back to the image.</summary>
    /// <inheritdoc cref="GraphCut.From"/>
    public static GraphReach Of(ModelProto model, string source, IReadOnlyList<string> maps)
    {
        GraphProto graph = model.Graph;
        if (maps.Count == 0) throw new ArgumentException($"No tensor of '{source}' is named to cut at.", nameof(maps));
        int opset = (int)(model.OpsetImport.FirstOrDefault(o => o.Domain is "" or "ai.onnx")?.Version ?? 1);
        if (opset < OpsetUpgrade.Lowest) throw new NotSupportedException(
            $"The graph of '{source}' is of ONNX operator set {opset}; {OpsetUpgrade.Lowest} and later ones are supported.");
        GraphNode[] nodes = [.. graph.Node.Select(n => new GraphNode(n))];
        HashSet<string> known = [.. nodes.SelectMany(n => n.Outputs).Where(name => name.Length > 0)];
        foreach (string name in maps)
        {
            if (known.Contains(name)) continue;
            IEnumerable<string> near = NearestNames.Of(name, GraphSurgery.Tensors(model)).Select(other => $"'{other}'");
            throw new ArgumentException(
                $"The graph of '{source}' has no tensor '{name}'. The nearest names are {string.Join(", ", near)}.", nameof(maps));
        }

        var needed = maps.ToHashSet();
        var kept = new List<GraphNode>();
        foreach (GraphNode node in nodes.Reverse())
        {
            if (!node.Outputs.Any(needed.Contains)) continue;
            needed.UnionWith(node.Inputs);
            kept.Add(node);
        }

        kept.Reverse();
        var initializers = graph.Initializer.ToDictionary(t => t.Name);
        ValueInfoProto[] inputs = [.. graph.Input.Where(i => needed.Contains(i.Name) && !initializers.ContainsKey(i.Name))];
        if (inputs.Length == 0) throw new NotSupportedException(
            $"No image goes into {Quoted(maps)} of '{source}': they are computed of constants alone.");
        if (inputs.Length > 1) throw new NotSupportedException($"{Quoted(maps)} of '{source}' depend on more than one input: "
            + $"{Quoted(inputs.Select(i => i.Name))}. Only an image is supported.");
        Refuse(kept, inputs[0].Name, source);
        return new GraphReach(kept, initializers, inputs[0], opset);
    }

    /// <summary>Why an operator cannot be run; null where it can.</summary>
    public static string? Obstacle(GraphNode node)
    {
        if (Control.Contains(node.Op)) return "is control flow, which is not supported";
        if (Quantised.Contains(node.Op))
            return "is of a quantised network, which cannot be trained; take the network from before it was quantised";
        if (node.Proto.Domain is not ("" or "ai.onnx")) return $"is of the domain '{node.Proto.Domain}', which is not supported";
        if (node.Op == "Cast" && node.Int("to") is ((long)TensorProto.Types.DataType.Float16 or BFloat16))
            return "makes half precision, in which nothing is trained; export the network in single precision";
        return OperatorTable.Knows(node.Op) || OpsetUpgrade.Knows(node.Op) ? null : "is not supported";
    }

    private static void Refuse(List<GraphNode> nodes, string image, string source)
    {
        var fromImage = new HashSet<string> { image };
        foreach (GraphNode node in nodes)
        {
            string[] before = [.. node.Inputs.Where(fromImage.Contains).Where(name => name != image)];
            if (Obstacle(node) is { } obstacle)
            {
                throw new NotSupportedException($"The operator {node.Label} of '{source}' {obstacle}. "
                    + (before.Length > 0 ? $"The last tensors before it, at which one could cut: {Quoted(before)}."
                        : "There is no tensor before it at which one could cut."));
            }

            if (node.Inputs.Any(fromImage.Contains)) fromImage.UnionWith(node.Outputs);
        }
    }

    private static string Quoted(IEnumerable<string> names) => string.Join(", ", names.Select(name => $"'{name}'"));
}
