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
    /// <param name="advises">Whether an error says where one could cut.</param>
    public static GraphReach Of(ModelProto model, string source, IReadOnlyList<string> maps, bool advises = true)
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
            needed.UnionWith(GraphSurgery.Needs(node.Proto));
            kept.Add(node);
        }

        kept.Reverse();
        var initializers = new Dictionary<string, TensorProto>(StringComparer.Ordinal);
        foreach (TensorProto tensor in graph.Initializer)
        {
            if (!initializers.TryAdd(tensor.Name, tensor))
                throw new FormatException($"The graph of '{source}' has two parameters '{ShortText.Of(tensor.Name)}'.");
        }

        CheckComplete(graph, kept, initializers, source);
        ValueInfoProto[] inputs = [.. graph.Input.Where(i => needed.Contains(i.Name) && !initializers.ContainsKey(i.Name))];
        Refuse(model, kept, [.. inputs.Select(input => input.Name)], source, advises);
        if (inputs.Length == 0) throw new NotSupportedException(
            $"No image goes into {Quoted(maps)} of '{source}': they are computed of constants alone.");
        if (inputs.Length > 1) throw new NotSupportedException($"{Quoted(maps)} of '{source}' depend on more than one input: "
            + $"{Quoted(inputs.Select(i => i.Name))}. Only an image is supported.");
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

    /// <exception cref="FormatException">An operator needs what nothing gives.</exception>
    private static void CheckComplete(GraphProto graph, List<GraphNode> nodes, Dictionary<string, TensorProto> initializers, string source)
    {
        HashSet<string> given = [.. nodes.SelectMany(node => node.Outputs), .. graph.Input.Select(input => input.Name)];
        foreach (GraphNode node in nodes)
        {
            if (GraphSurgery.Needs(node.Proto).FirstOrDefault(name => !given.Contains(name) && !initializers.ContainsKey(name)) is { } name)
            {
                throw new FormatException($"The operator {node.Label} of '{source}' needs '{ShortText.Of(name)}', and nothing in the file "
                    + "gives that: neither a parameter, an input nor another operator.");
            }
        }
    }

    private static void Refuse(ModelProto model, List<GraphNode> nodes, HashSet<string> inputs, string source, bool advises)
    {
        HashSet<string> fromImage = [.. inputs];
        foreach (GraphNode node in nodes)
        {
            string[] needs = [.. GraphSurgery.Needs(node.Proto).Distinct().Where(fromImage.Contains)];
            if (Obstacle(node) is { } obstacle)
            {
                string what = $"The operator {node.Label} of '{source}' {obstacle}.";
                if (!advises) throw new NotSupportedException(what);
                string[] before = [.. needs.Where(name => !inputs.Contains(name))];
                string[] maps = MapsBefore(model, source, before);
                string advice = maps.Length == 0 ? "There is no map before it at which one could cut."
                    : maps.All(before.Contains) ? $"The last tensors before it, at which one could cut: {Quoted(maps)}."
                    : $"The last map before it, at which one could cut, is {Quoted(maps)}.";
                throw new NotSupportedException($"{what} {advice}");
            }

            if (needs.Length > 0) fromImage.UnionWith(node.Outputs);
        }
    }

    /// <summary>Those of some tensors that are maps; where none is, the last map that they are computed of.</summary>
    private static string[] MapsBefore(ModelProto model, string source, string[] tensors)
    {
        if (tensors.Length == 0) return [];
        HashSet<string> own = [.. model.Graph.Node.SelectMany(node => node.Output)];
        var maps = new List<string>();
        try
        {
            GraphCut cut = GraphCut.FromReach(source, Of(model, source, tensors), tensors);
            (int height, int width) = (cut.Size.Height, cut.Size.Width);
            GraphShapes.Run(cut, 1, height, width, (name, value) =>
            {
                if (own.Contains(name) && GraphMap.Of(name, value.Tensor.shape, height, width) is { Height: > 1, Width: > 1, Stride: > 1 })
                    maps.Add(name);
            });
        }
        catch (Exception error) when (error is GraphRunException or NotSupportedException or FormatException)
        {
            // What was seen before will do.
        }

        string[] among = [.. tensors.Where(maps.Contains)];
        return among.Length > 0 || maps.Count == 0 ? among : [maps[^1]];
    }

    private static string Quoted(IEnumerable<string> names) => string.Join(", ", names.Select(name => $"'{ShortText.Of(name)}'"));
}
