using System.Runtime.InteropServices;
using Google.Protobuf;
using Microsoft.ML.Distillation.Onnx.Proto;
using static Microsoft.ML.Distillation.Onnx.Proto.TensorProto.Types;

namespace Microsoft.ML.Distillation.Onnx;

/// <summary>
/// Turns a network's layers to half precision (float16): convolutions, matrix products and what leads to them, with their weights. What
/// prepares the image and what decodes and chooses boxes stays in single precision: 11 bits cannot tell neighbouring pixels of a wide
/// image apart. So does a layer with a weight that is beyond half precision's range.
/// </summary>
internal static class HalfPrecision
{
    private const float Largest = 65504;

    private static readonly HashSet<string> Layers = ["Conv", "ConvTranspose", "Gemm", "MatMul"];

    /// <summary>What may stand before a layer and compute in half precision too, its result a number for a number.</summary>
    private static readonly HashSet<string> Between =
    [
        "BatchNormalization", "Relu", "LeakyRelu", "PRelu", "Clip", "HardSigmoid", "HardSwish", "Sigmoid", "Tanh", "Add", "Sub", "Mul",
        "Div", "MaxPool", "AveragePool", "GlobalAveragePool", "GlobalMaxPool", "Concat", "Split", "Slice", "Reshape", "Transpose",
        "Unsqueeze", "Squeeze", "Flatten", "Identity", "Pad", "Resize", "Gather",
    ];

    /// <summary>A copy of a model in half precision.</summary>
    /// <param name="image">The value that holds the image at the network's size.</param>
    public static ModelProto Of(ModelProto model, string image)
    {
        ModelProto copy = model.Clone();
        GraphProto graph = copy.Graph;
        Dictionary<string, TensorProto> weights = graph.Initializer
            .Where(tensor => tensor.DataType == (int)DataType.Float).ToDictionary(tensor => tensor.Name);
        HashSet<NodeProto> halves = Halves(graph, image, weights);
        foreach (NodeProto norm in graph.Node.Where(node => node.OpType == "BatchNormalization" && halves.Contains(node)))
            Standardise(norm, weights);

        HashSet<string> made = [.. halves.SelectMany(node => node.Output)];
        HashSet<string> single = [.. graph.Node.Where(node => !halves.Contains(node)).SelectMany(GraphSurgery.Needs)];
        var names = new Dictionary<string, string>();
        var written = new List<NodeProto>();
        foreach (NodeProto node in graph.Node)
        {
            bool isHalf = halves.Contains(node);
            foreach (int i in isHalf ? Floats(node) : Enumerable.Range(0, node.Input.Count))
            {
                string input = node.Input[i];
                if (input.Length == 0 || made.Contains(input) == isHalf) continue;
                if (isHalf && weights.TryGetValue(input, out TensorProto? weight)) node.Input[i] = Half(weight);
                else if (isHalf || node.OpType != "Shape") node.Input[i] = Cast(input, isHalf);
            }

            written.Add(node);
        }

        graph.Node.Clear();
        graph.Node.AddRange(written);
        GraphSurgery.RemoveUnused(graph);
        return copy;

        string Cast(string value, bool toHalf)
        {
            if (names.TryGetValue(value, out string? name)) return name;
            name = names[value] = $"{value}_{(toHalf ? "half" : "single")}";
            var cast = new NodeProto { OpType = "Cast", Name = $"Cast_{name}" };
            cast.Input.Add(value);
            cast.Output.Add(name);
            cast.Attribute.Add(new AttributeProto
            {
                Name = "to",
                Type = AttributeProto.Types.AttributeType.Int,
                I = (long)(toHalf ? DataType.Float16 : DataType.Float),
            });
            written.Add(cast);
            return name;
        }

        string Half(TensorProto weight)
        {
            if (names.TryGetValue(weight.Name, out string? name)) return name;
            TensorProto tensor = weight;
            if (single.Contains(weight.Name))
            {
                tensor = weight.Clone();
                tensor.Name += "_half";
                graph.Initializer.Add(tensor);
            }

            byte[] bytes = MemoryMarshal.AsBytes(Array.ConvertAll(Values(weight), value => (Half)value).AsSpan()).ToArray();
            tensor.FloatData.Clear();
            (tensor.DataType, tensor.RawData) = ((int)DataType.Float16, ByteString.CopyFrom(bytes));
            return names[weight.Name] = tensor.Name;
        }
    }

    /// <summary>Whether a model has weights in half precision.</summary>
    public static bool Is(OnnxModelFile model) => model.Model.Graph.Initializer.Any(tensor => tensor.DataType == (int)DataType.Float16);

    /// <summary>The layers, and what lies between the image and them.</summary>
    private static HashSet<NodeProto> Halves(GraphProto graph, string image, Dictionary<string, TensorProto> weights)
    {
        HashSet<string> ofImage = [image], wanted = [];
        foreach (NodeProto node in graph.Node)
            if (GraphSurgery.Needs(node).Any(ofImage.Contains)) ofImage.UnionWith(node.Output);
        var halves = new HashSet<NodeProto>();
        foreach (NodeProto node in graph.Node.Reverse())
        {
            if (!Floats(node).Any(i => ofImage.Contains(node.Input[i]))) continue;
            // A product with a constant, not a weight, is arithmetic on boxes.
            bool isLayer = Layers.Contains(node.OpType) && Floats(node).Skip(1).All(i => IsWeight(node.Input[i]));
            if (!isLayer && !(Between.Contains(node.OpType) && node.Output.Any(wanted.Contains))) continue;
            if (Floats(node).Any(i => weights.TryGetValue(node.Input[i], out TensorProto? weight) && IsTooLarge(weight))) continue;
            halves.Add(node);
            wanted.UnionWith(Floats(node).Select(i => node.Input[i]));
        }

        return halves;

        bool IsWeight(string name) => weights.ContainsKey(name) && !name.StartsWith("const_", StringComparison.Ordinal);
        static bool IsTooLarge(TensorProto weight) => Values(weight).Any(value => !(Math.Abs(value) <= Largest));
    }

    /// <summary>Which inputs of an operator are numbers that it computes with; the others are shapes, axes and indices.</summary>
    private static IEnumerable<int> Floats(NodeProto node) => (node.OpType switch
    {
        "Reshape" or "Split" or "Slice" or "Unsqueeze" or "Squeeze" or "Resize" or "Gather" => [0],
        "Pad" => [0, 2],
        _ => Enumerable.Range(0, node.Input.Count),
    }).Where(i => i < node.Input.Count && node.Input[i].Length > 0);

    /// <summary>
    /// Gives a batch normalisation the mean 0 and the variance 1, and the rest to its scale and bias: small variances have few bits in half
    /// precision.
    /// </summary>
    private static void Standardise(NodeProto norm, Dictionary<string, TensorProto> weights)
    {
        TensorProto?[] parts = [.. norm.Input.Skip(1).Select(weights.GetValueOrDefault)];
        if (parts.Length != 4 || parts.Any(part => part is null)) return;
        float[] scale = Values(parts[0]!), bias = Values(parts[1]!), mean = Values(parts[2]!), variance = Values(parts[3]!);
        double epsilon = norm.Attribute.FirstOrDefault(a => a.Name == "epsilon")?.F ?? 1e-5f;
        for (int i = 0; i < scale.Length; i++)
        {
            double factor = scale[i] / Math.Sqrt(variance[i] + epsilon);
            bias[i] = (float)(bias[i] - mean[i] * factor);
            scale[i] = (float)(factor * Math.Sqrt(1 + epsilon));
            (mean[i], variance[i]) = (0, 1);
        }

        foreach ((TensorProto? part, float[] values) in parts.Zip([scale, bias, mean, variance]))
        {
            part!.FloatData.Clear();
            part.RawData = ByteString.CopyFrom(MemoryMarshal.AsBytes(values.AsSpan()));
        }
    }

    private static float[] Values(TensorProto tensor)
        => tensor.HasRawData ? MemoryMarshal.Cast<byte, float>(tensor.RawData.Span).ToArray() : [.. tensor.FloatData];
}
