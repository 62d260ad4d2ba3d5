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

    /// <summary>Whether parameters lie in other files.</summary>
    public static bool HasExternalData(ModelProto model) =>
        model.Graph.Initializer.Any(tensor => tensor.DataLocation == TensorProto.Types.DataLocation.External);

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
