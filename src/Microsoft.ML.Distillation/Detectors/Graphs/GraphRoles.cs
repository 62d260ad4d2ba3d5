using Microsoft.ML.Distillation.Onnx.Proto;

namespace Microsoft.ML.Distillation.Detectors.Graphs;

/// <summary>Tells parameters from constants.</summary>
internal static class GraphRoles
{
    // The inputs that hold parameters of operators that have some.
    private static readonly Dictionary<string, int[]> Places = new(StringComparer.Ordinal)
    {
        ["Conv"] = [1, 2],
        ["ConvTranspose"] = [1, 2],
        ["Gemm"] = [0, 1, 2],
        ["MatMul"] = [0, 1],
        ["BatchNormalization"] = [1, 2, 3, 4],
        ["InstanceNormalization"] = [1, 2],
        ["LayerNormalization"] = [1, 2],
        ["PRelu"] = [1],
        ["Add"] = [0, 1],
        ["Sub"] = [0, 1],
        ["Mul"] = [0, 1],
        ["Div"] = [0, 1],
        ["Concat"] = [.. Enumerable.Range(0, 16)],
    };

    private static readonly HashSet<string> Arithmetic = ["Add", "Sub", "Mul", "Div", "Concat"];

    // What passes parameters on.
    private static readonly HashSet<string> Movements =
        ["Gather", "Slice", "Reshape", "Transpose", "Squeeze", "Unsqueeze", "Expand", "Tile", "Identity", "Pad", "Flatten", "Cast"];

    // What tells of a tensor without its values.
    private static readonly HashSet<string> Sizes = ["Shape", "Size"];

    /// <summary>The tensors that are computed of the image's values, not of its size alone.</summary>
    public static HashSet<string> FromImage(string image, IReadOnlyList<GraphNode> nodes)
    {
        var found = new HashSet<string>(StringComparer.Ordinal) { image };
        foreach (GraphNode node in nodes)
        {
            if (!Sizes.Contains(node.Op) && node.Inputs.Any(found.Contains)) found.UnionWith(node.Outputs);
        }

        return found;
    }

    /// <summary>The initialisers that are learned: parameters, and the statistics of batch normalisations.</summary>
    /// <param name="image">The name of the image.</param>
    public static HashSet<string> Learned(
        string image, IReadOnlyList<GraphNode> nodes, IReadOnlyDictionary<string, TensorProto> initializers)
    {
        var learned = new HashSet<string>(StringComparer.Ordinal);
        var passed = new Dictionary<string, string>(StringComparer.Ordinal);
        HashSet<string> fromImage = FromImage(image, nodes);

        // What no layer of weights comes before is the image's preparation.
        var behindWeights = new HashSet<string>();
        foreach (GraphNode node in nodes)
        {
            bool sees = node.Inputs.Any(fromImage.Contains), behind = node.Inputs.Any(behindWeights.Contains);
            if (!sees && Movements.Contains(node.Op) && Origin(node.Input(0)) is { } origin) passed[node.Outputs[0]] = origin;
            if (behind || node.Op is "Conv" or "Gemm" or "MatMul" or "ConvTranspose") behindWeights.UnionWith(node.Outputs);
            if (!sees || !Places.TryGetValue(node.Op, out int[]? places)) continue;
            if (Arithmetic.Contains(node.Op) && !behind) continue;
            foreach (int place in places)
            {
                if (Origin(node.Input(place)) is not { } name) continue;
                if (!Arithmetic.Contains(node.Op) || (GraphTensors.Count(initializers[name]) > 1 && !IsMask(initializers[name])))
                    learned.Add(name);
            }
        }

        return learned;

        string? Origin(string name) => passed.TryGetValue(name, out string? origin) ? origin
            : initializers.TryGetValue(name, out TensorProto? tensor) && GraphTensors.IsFloating(tensor) ? name : null;
    }

    // What is added to logits to exclude some: zeros and large negative numbers.
    private static bool IsMask(TensorProto tensor)
    {
        if (!GraphTensors.HasData(tensor)) return false;
        using var scope = TorchSharp.torch.NewDisposeScope();
        float[] values = Boxes.TensorArrays.Floats(GraphTensors.Read(tensor));
        return values.Any(v => v <= -50) && values.All(v => v is 0 or <= -50);
    }
}
