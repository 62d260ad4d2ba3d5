using System.Runtime.InteropServices;
using Microsoft.ML.Distillation.Onnx.Proto;

namespace Microsoft.ML.Distillation.Onnx;

/// <summary>
/// Writes a static graph of one image in the operators that converters for phones and accelerators share, and in tensors of at most four
/// dimensions: batch normalisation inside of the convolution before it, Slice for Split, hard activations as a product that is clipped,
/// ShuffleNet's exchange of channels without a fifth dimension.
/// </summary>
internal static class PortableOperators
{
    /// <summary>Changes a model in place. Its Reshapes must name their whole shapes.</summary>
    public static void Use(ModelProto model)
    {
        GraphProto graph = model.Graph;
        var builder = new GraphBuilder("portable_");
        Dictionary<string, NodeProto> makers = GraphSurgery.Makers(graph);
        Dictionary<string, TensorProto> initializers = graph.Initializer.ToDictionary(tensor => tensor.Name);
        foreach (NodeProto node in graph.Node)
        {
            if (node.OpType is "HardSigmoid" or "HardSwish") WriteHard(builder, node);
            else if (node.OpType == "Reshape" && Exchanged(node, makers, initializers) is { } two) WriteExchange(builder, node, two);
            else if (node.OpType == "Split" && Parts(node, initializers) is { } sizes) WriteSlices(builder, node, sizes);
            else if (node.OpType == "BatchNormalization" && Line.Of(node, initializers) is { } line)
            {
                NodeProto? conv = makers.GetValueOrDefault(node.Input[0]);
                bool isFolded = conv?.OpType == "Conv" && conv.Input.Skip(1).All(input => IsFloats(initializers.GetValueOrDefault(input)));
                if (isFolded) WriteFolded(builder, node, conv!, line, initializers);
                else WriteLine(builder, node, line);
            }
            else builder.Put(node);
        }

        GraphProto written = builder.Build([]).Graph;
        graph.Node.Clear();
        graph.Node.AddRange(written.Node);
        graph.Initializer.AddRange(written.Initializer);
        GraphSurgery.RemoveUnused(graph);
    }

    /// <summary>HardSigmoid(x) = min(max(αx + β, 0), 1); HardSwish(x) = x · HardSigmoid(x) with α = 1/6 and β = 1/2.</summary>
    private static void WriteHard(GraphBuilder graph, NodeProto node)
    {
        bool swish = node.OpType == "HardSwish";
        float alpha = swish ? 1f / 6 : node.Attribute.FirstOrDefault(a => a.Name == "alpha")?.F ?? 0.2f;
        float beta = swish ? 0.5f : node.Attribute.FirstOrDefault(a => a.Name == "beta")?.F ?? 0.5f;
        string line = graph.Add("Add", [graph.Add("Mul", [node.Input[0], graph.Scalar(alpha)]), graph.Scalar(beta)]);
        string[] clip = [line, graph.Scalar(0f), graph.Scalar(1f)];
        if (swish) graph.Put("Mul", [node.Input[0], graph.Add("Clip", clip)], [node.Output[0]]);
        else graph.Put("Clip", clip, [node.Output[0]]);
    }

    /// <summary>Two maps [1,C/2,h,w] whose channels a Reshape interleaves; null where it does something else.</summary>
    private static (string First, string Second, long[] Shape)? Exchanged(
        NodeProto reshape, Dictionary<string, NodeProto> makers, Dictionary<string, TensorProto> initializers)
    {
        if (makers.GetValueOrDefault(reshape.Input[0]) is not { OpType: "Concat", Input.Count: 2 } joined
            || joined.Attribute.FirstOrDefault(a => a.Name == "axis")?.I != 2) return null;
        NodeProto?[] parts = [.. joined.Input.Select(makers.GetValueOrDefault)];
        if (parts.Any(part => part is not { OpType: "Unsqueeze" } || !Values(part.Input[1]).SequenceEqual([2]))) return null;
        long[] shape = Values(reshape.Input[1]);
        return shape is [1, _, _, _] ? (parts[0]!.Input[0], parts[1]!.Input[0], shape) : null;

        long[] Values(string name) => initializers.TryGetValue(name, out TensorProto? tensor)
            ? MemoryMarshal.Cast<byte, long>(tensor.RawData.Span).ToArray() : [];
    }

    /// <summary>What a Split's parts measure and along which axis; null where it does not say.</summary>
    private static (long Axis, long[] Sizes)? Parts(NodeProto split, Dictionary<string, TensorProto> initializers)
        => split.Input.Count == 2 && initializers.TryGetValue(split.Input[1], out TensorProto? sizes)
            && split.Attribute.FirstOrDefault(a => a.Name == "axis")?.I is >= 0 and var axis
            ? ((long)axis, MemoryMarshal.Cast<byte, long>(sizes.RawData.Span).ToArray()) : null;

    private static void WriteSlices(GraphBuilder graph, NodeProto split, (long Axis, long[] Sizes) parts)
    {
        long start = 0;
        foreach ((string output, long size) in split.Output.Zip(parts.Sizes))
        {
            graph.Put("Slice", [split.Input[0], graph.Integers(start), graph.Integers(start + size), graph.Integers(parts.Axis)], [output]);
            start += size;
        }
    }

    /// <summary>A convolution with the normalisation behind it in its weights; each normalisation gets weights of its own.</summary>
    private static void WriteFolded(
        GraphBuilder graph, NodeProto norm, NodeProto conv, Line line, Dictionary<string, TensorProto> initializers)
    {
        TensorProto weight = initializers[conv.Input[1]];
        float[] weights = Floats(weight), bias = conv.Input.Count > 2 ? Floats(initializers[conv.Input[2]]) : new float[line.Scale.Length];
        int each = weights.Length / line.Scale.Length;
        for (int i = 0; i < weights.Length; i++) weights[i] *= line.Scale[i / each];
        for (int i = 0; i < bias.Length; i++) bias[i] = bias[i] * line.Scale[i] + line.Shift[i];
        NodeProto folded = conv.Clone();
        folded.Name = $"{conv.Name}_{norm.Name}";
        folded.Input.Clear();
        folded.Input.Add(conv.Input[0]);
        folded.Input.Add(graph.Parameter($"{conv.Input[1]}_{norm.Name}", weights, [.. weight.Dims]));
        folded.Input.Add(graph.Parameter($"{conv.Input[1]}_{norm.Name}_bias", bias, bias.Length));
        folded.Output[0] = norm.Output[0];
        graph.Put(folded);
    }

    private static void WriteLine(GraphBuilder graph, NodeProto norm, Line line)
    {
        string scaled = graph.Add("Mul", [norm.Input[0], graph.Floats(line.Scale, 1, line.Scale.Length, 1, 1)]);
        graph.Put("Add", [scaled, graph.Floats(line.Shift, 1, line.Shift.Length, 1, 1)], [norm.Output[0]]);
    }

    private static bool IsFloats(TensorProto? tensor) => tensor?.DataType == (int)TensorProto.Types.DataType.Float;

    private static float[] Floats(TensorProto tensor)
        => tensor.HasRawData ? MemoryMarshal.Cast<byte, float>(tensor.RawData.Span).ToArray() : [.. tensor.FloatData];

    private static void WriteExchange(GraphBuilder graph, NodeProto reshape, (string First, string Second, long[] Shape) exchange)
    {
        long[] shape = exchange.Shape;
        string joined = graph.Add("Concat", [exchange.First, exchange.Second], ("axis", 1));
        string halves = graph.Add("Reshape", [joined, graph.Integers(1, 2, shape[1] / 2, shape[2] * shape[3])]);
        string exchanged = graph.Add("Transpose", [halves], ("perm", new long[] { 0, 2, 1, 3 }));
        graph.Put("Reshape", [exchanged, graph.Integers(shape)], [reshape.Output[0]]);
    }

    /// <summary>What a batch normalisation computes of each channel: value · scale + shift.</summary>
    private sealed record Line(float[] Scale, float[] Shift)
    {
        /// <summary>Null where its parameters are not constants.</summary>
        public static Line? Of(NodeProto norm, Dictionary<string, TensorProto> initializers)
        {
            TensorProto?[] parts = [.. norm.Input.Skip(1).Select(initializers.GetValueOrDefault)];
            if (parts.Length != 4 || !parts.All(IsFloats)) return null;
            double epsilon = norm.Attribute.FirstOrDefault(a => a.Name == "epsilon")?.F ?? 1e-5f;
            float[] weight = Floats(parts[0]!), bias = Floats(parts[1]!), mean = Floats(parts[2]!), variance = Floats(parts[3]!);
            double[] scale = [.. weight.Zip(variance, (w, v) => w / Math.Sqrt(v + epsilon))];
            return new Line(
                Array.ConvertAll(scale, value => (float)value), [.. scale.Select((factor, i) => (float)(bias[i] - mean[i] * factor))]);
        }
    }
}
