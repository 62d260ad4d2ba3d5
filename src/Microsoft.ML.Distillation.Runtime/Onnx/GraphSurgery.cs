using Microsoft.ML.Distillation.Files;
using Microsoft.ML.Distillation.Onnx.Proto;

namespace Microsoft.ML.Distillation.Onnx;

/// <summary>Changes graphs that others made. Knows graphs, no detector.</summary>
internal static class GraphSurgery
{
    // What these give is no tensor, so it cannot be read as one.
    private static readonly HashSet<string> NotTensors =
        ["SequenceConstruct", "SequenceEmpty", "SequenceInsert", "SequenceErase", "SequenceMap", "SplitToSequence", "Optional",
            "ConcatFromSequence"];

    /// <summary>The tensors that a graph computes, in its order.</summary>
    public static IReadOnlyList<string> Tensors(ModelProto model) =>
        [.. model.Graph.Node.Where(node => !NotTensors.Contains(node.OpType) && node.OpType != "Constant")
            .SelectMany(node => node.Output).Where(name => name.Length > 0)];

    /// <summary>The operators of a graph by the tensors that they make.</summary>
    public static Dictionary<string, NodeProto> Makers(GraphProto graph)
    {
        var makers = new Dictionary<string, NodeProto>();
        foreach (NodeProto node in graph.Node)
            foreach (string output in node.Output) makers[output] = node;
        return makers;
    }

    /// <summary>Whether parameters lie in other files.</summary>
    public static bool HasExternalData(ModelProto model) =>
        model.Graph.Initializer.Any(tensor => tensor.DataLocation == TensorProto.Types.DataLocation.External);

    /// <summary>What an operator needs: its inputs, and what graphs inside of it take from outside.</summary>
    public static IEnumerable<string> Needs(NodeProto node) => node.Attribute
        .SelectMany(attribute => attribute.G is null ? attribute.Graphs : attribute.Graphs.Append(attribute.G)).SelectMany(Taken)
        .Concat(node.Input).Where(name => name.Length > 0);

    /// <summary>A copy of what a model computes some tensors of: no other operators, parameters, inputs and outputs.</summary>
    /// <inheritdoc cref="Expose" path="/param"/>
    /// <inheritdoc cref="Expose" path="/exception"/>
    public static ModelProto Part(ModelProto model, IReadOnlyList<string> tensors, string source)
    {
        ModelProto part = Expose(model, tensors, source);
        GraphProto graph = part.Graph;
        HashSet<string> outputs = [.. tensors], needed = [.. tensors];
        for (int i = graph.Node.Count - 1; i >= 0; i--)
        {
            if (graph.Node[i].Output.Any(needed.Contains)) needed.UnionWith(Needs(graph.Node[i]));
            else graph.Node.RemoveAt(i);
        }

        Keep(graph.Output, output => outputs.Contains(output.Name));
        Keep(graph.Input, input => needed.Contains(input.Name));
        Keep(graph.Initializer, tensor => needed.Contains(tensor.Name));
        graph.ValueInfo.Clear();
        HashSet<string> domains = [.. graph.Node.Select(node => node.Domain), ""];
        Keep(part.OpsetImport, opset => domains.Contains(opset.Domain) || opset.Domain == "ai.onnx");
        return part;
    }

    /// <summary>Removes the operators and parameters that no output needs.</summary>
    public static void RemoveUnused(GraphProto graph)
    {
        var needed = graph.Output.Select(o => o.Name).ToHashSet();
        for (int i = graph.Node.Count - 1; i >= 0; i--)
        {
            NodeProto node = graph.Node[i];
            if (node.Output.Any(needed.Contains)) needed.UnionWith(Needs(node));
            else graph.Node.RemoveAt(i);
        }

        foreach (TensorProto unused in graph.Initializer.Where(t => !needed.Contains(t.Name)).ToList())
            graph.Initializer.Remove(unused);
    }

    private static void Keep<T>(Google.Protobuf.Collections.RepeatedField<T> list, Func<T, bool> isKept)
    {
        T[] kept = [.. list.Where(isKept)];
        list.Clear();
        list.AddRange(kept);
    }

    /// <summary>The names that a graph inside of an operator takes from the graph around it.</summary>
    private static IEnumerable<string> Taken(GraphProto graph)
    {
        HashSet<string> own = [.. graph.Input.Select(input => input.Name), .. graph.Initializer.Select(tensor => tensor.Name),
            .. graph.Node.SelectMany(node => node.Output)];
        return graph.Node.SelectMany(Needs).Concat(graph.Output.Select(output => output.Name)).Where(name => !own.Contains(name)).ToArray();
    }

    /// <summary>A copy of a model with further outputs. Their types are left for ONNX Runtime to infer.</summary>
    /// <param name="tensors">Names of tensors anywhere in the graph; those that are outputs already stay as they are.</param>
    /// <param name="source">Where the model comes from, for the error message.</param>
    /// <exception cref="ArgumentException">The graph has no tensor of a name; the message lists the nearest ones.</exception>
    public static ModelProto Expose(ModelProto model, IEnumerable<string> tensors, string source)
    {
        ModelProto copy = model.Clone();
        HashSet<string> known = [.. model.Graph.Node.SelectMany(node => node.Output)];
        HashSet<string> outputs = [.. model.Graph.Output.Select(output => output.Name)];
        foreach (string name in tensors)
        {
            if (!known.Contains(name) || name.Length == 0)
            {
                IEnumerable<string> near = NearestNames.Of(name, Tensors(model)).Select(other => $"'{other}'");
                throw new ArgumentException($"The graph of '{source}' has no tensor '{name}'. The nearest names are "
                    + $"{string.Join(", ", near)}.", nameof(tensors));
            }

            if (outputs.Add(name)) copy.Graph.Output.Add(new ValueInfoProto { Name = name });
        }

        return copy;
    }
}
