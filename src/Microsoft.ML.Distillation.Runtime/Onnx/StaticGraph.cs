using System.Runtime.InteropServices;
using Google.Protobuf;
using Microsoft.ML.Distillation.Onnx.Proto;
using Microsoft.ML.OnnxRuntime;

namespace Microsoft.ML.Distillation.Onnx;

/// <summary>
/// Makes a graph static whose inputs have fixed shapes: what depends on shapes alone, not on the inputs' values, becomes constant, and
/// every Reshape names its whole shape. Needs ONNX Runtime's native library, which computes these values.
/// </summary>
internal static class StaticGraph
{
    /// <summary>Changes a model in place.</summary>
    /// <param name="source">Where it comes from, for messages.</param>
    /// <exception cref="NotSupportedException">A shape in it depends on the values of the image.</exception>
    public static void Fold(ModelProto model, string source)
    {
        GraphProto graph = model.Graph;
        HashSet<string> constants = [.. graph.Initializer.Select(tensor => tensor.Name)], folded = [];
        var nodes = new List<NodeProto>();
        foreach (NodeProto node in graph.Node)
        {
            // Weights of few bits stay as they are stored: DequantizeLinear is what the runtime computes with.
            bool isConstant = node.OpType == "Shape"
                || (node.OpType is not ("DequantizeLinear" or "Constant") && GraphSurgery.Needs(node).All(constants.Contains));
            if (isConstant || node.OpType == "Constant") constants.UnionWith(node.Output);
            if (isConstant) folded.UnionWith(node.Output);
            else nodes.Add(node);
        }

        string[] values = [.. nodes.SelectMany(GraphSurgery.Needs).Where(folded.Contains).Distinct()];
        string[] reshaped = [.. nodes.Where(node => node.OpType == "Reshape").Select(node => node.Output[0])];
        Dictionary<string, TensorProto> known = Compute(model, [.. values, .. reshaped], values, source);
        var shapes = new List<TensorProto>();
        foreach (NodeProto reshape in nodes.Where(node => node.OpType == "Reshape"))
        {
            if (!constants.Contains(reshape.Input[1])) throw new NotSupportedException(
                $"'{source}' has no static form: the shape '{reshape.Input[1]}' depends on what is in the image.");
            TensorProto shape = Integers($"{reshape.Output[0]}_shape", known[reshape.Output[0]].Dims);
            reshape.Input[1] = shape.Name;
            shapes.Add(shape);
        }

        graph.Node.Clear();
        graph.Node.AddRange(nodes);
        graph.Initializer.AddRange(values.Select(name => known[name]));
        graph.Initializer.AddRange(shapes);
        GraphSurgery.RemoveUnused(graph);
    }

    /// <summary>Some tensors of a model for an input of zeros: their shapes, and of those whose content is asked for that too.</summary>
    private static Dictionary<string, TensorProto> Compute(
        ModelProto model, IReadOnlyList<string> tensors, IReadOnlyCollection<string> withContent, string source)
    {
        if (tensors.Count == 0) return [];
        byte[] exposed = GraphSurgery.Expose(model, tensors, source).ToByteArray();
        var unoptimised = new SessionSettings { Configure = o => o.GraphOptimizationLevel = GraphOptimizationLevel.ORT_DISABLE_ALL };
        using InferenceSession session = unoptimised.Open(source, options => new InferenceSession(exposed, options)).Session;
        Dictionary<string, OrtValue> inputs = session.InputMetadata.ToDictionary(
            input => input.Key, input => Zeros(input.Value, input.Key, source));
        try
        {
            using IDisposableReadOnlyCollection<OrtValue> found = session.Run(new RunOptions(), inputs, tensors);
            return tensors.Zip(found).ToDictionary(pair => pair.First, pair => Read(pair.First, pair.Second, withContent));
        }
        finally
        {
            foreach (OrtValue value in inputs.Values) value.Dispose();
        }
    }

    private static OrtValue Zeros(NodeMetadata input, string name, string source)
    {
        if (input.ElementDataType != OnnxRuntime.Tensors.TensorElementType.Float || input.Dimensions.Any(size => size <= 0))
            throw new NotSupportedException($"'{source}' has no static form: its input '{name}' is of no fixed shape.");
        long[] shape = Array.ConvertAll(input.Dimensions, size => (long)size);
        return OrtValue.CreateTensorValueFromMemory(new float[shape.Aggregate(1L, (product, size) => product * size)], shape);
    }

    private static TensorProto Read(string name, OrtValue value, IReadOnlyCollection<string> withContent)
    {
        OrtTensorTypeAndShapeInfo info = value.GetTensorTypeAndShape();
        // The codes of element types are ONNX's own.
        var tensor = new TensorProto { Name = name, DataType = (int)info.ElementDataType };
        tensor.Dims.AddRange(info.Shape);
        if (withContent.Contains(name)) tensor.RawData = ByteString.CopyFrom(value.GetTensorMutableRawData());
        return tensor;
    }

    private static TensorProto Integers(string name, IEnumerable<long> values)
    {
        long[] numbers = [.. values];
        var tensor = new TensorProto
        {
            Name = name,
            DataType = (int)TensorProto.Types.DataType.Int64,
            RawData = ByteString.CopyFrom(MemoryMarshal.AsBytes(numbers.AsSpan())),
        };
        tensor.Dims.Add(numbers.Length);
        return tensor;
    }
}
