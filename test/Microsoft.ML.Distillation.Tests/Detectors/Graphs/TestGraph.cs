using Google.Protobuf;
using Microsoft.ML.Distillation.Detectors.Boxes;
using Microsoft.ML.Distillation.Detectors.Graphs;
using Microsoft.ML.Distillation.Onnx.Proto;
using static TorchSharp.torch;

namespace Microsoft.ML.Distillation.Tests.Detectors.Graphs;

/// <summary>Builds the graphs that others' exporters would write: any operator set, any names.</summary>
internal sealed class TestGraph(int opset = 13)
{
    private readonly Random _random = new(7);
    private readonly GraphProto _graph = new() { Name = "test" };

    /// <summary>The version of the operators.</summary>
    public int Opset => opset;

    /// <summary>The graph so far.</summary>
    public GraphProto Graph => _graph;

    /// <summary>The image input.</summary>
    public string Image(int height, int width, string name = "images") => Input(name, 1, 3, height, width);

    /// <summary>An input of real numbers; −1 is a size that is known only at run time.</summary>
    public string Input(string name, params long[] shape)
    {
        _graph.Input.Add(new ValueInfoProto { Name = name, Type = FloatType(shape) });
        return name;
    }

    /// <summary>Random real numbers, evenly between two bounds.</summary>
    public string Weights(string name, float low, float high, params long[] shape)
    {
        long count = shape.Aggregate(1L, (product, size) => product * size);
        float[] values = [.. Enumerable.Range(0, (int)count).Select(_ => low + (high - low) * _random.NextSingle())];
        return Floats(name, values, shape);
    }

    /// <summary>Real numbers.</summary>
    public string Floats(string name, float[] values, params long[] shape)
    {
        _graph.Initializer.Add(GraphTensors.Floats(name, values, shape));
        return name;
    }

    /// <summary>A vector of integers.</summary>
    public string Integers(string name, params long[] values)
    {
        _graph.Initializer.Add(GraphTensors.Integers(name, values));
        return name;
    }

    /// <summary>An integer without dimensions.</summary>
    public string Integer(string name, long value)
    {
        TensorProto tensor = GraphTensors.Integers(name, value);
        tensor.Dims.Clear();
        _graph.Initializer.Add(tensor);
        return name;
    }

    /// <summary>An operator with one output, whose name is the node's.</summary>
    public string Node(string op, string name, string[] inputs, params (string Name, object Value)[] attributes)
        => Node(op, name, inputs, [name], attributes)[0];

    /// <summary>An operator.</summary>
    public string[] Node(string op, string name, string[] inputs, string[] outputs, params (string Name, object Value)[] attributes)
    {
        var node = new NodeProto { OpType = op, Name = $"node_{name}" };
        node.Input.AddRange(inputs);
        node.Output.AddRange(outputs);
        foreach ((string key, object value) in attributes)
        {
            node.Attribute.Add(value switch
            {
                int number => GraphAttributes.Of(key, (long)number),
                long number => GraphAttributes.Of(key, number),
                float number => GraphAttributes.Of(key, number),
                string text => GraphAttributes.Of(key, text),
                long[] numbers => GraphAttributes.Of(key, numbers),
                float[] numbers => new AttributeProto
                {
                    Name = key,
                    Type = AttributeProto.Types.AttributeType.Floats,
                    Floats = { numbers },
                },
                TensorProto tensor => new AttributeProto { Name = key, Type = AttributeProto.Types.AttributeType.Tensor, T = tensor },
                _ => throw new ArgumentException(key),
            });
        }

        _graph.Node.Add(node);
        return outputs;
    }

    /// <summary>A convolution with bias, its padding half its kernel.</summary>
    public string Conv(string input, int from, int to, int kernel, int stride, string name, int groups = 1, bool bias = true)
    {
        float reach = MathF.Sqrt(3f * groups / (from * kernel * kernel));
        string weight = Weights($"{name}.weight", -reach, reach, to, from / groups, kernel, kernel);
        string[] inputs = bias ? [input, weight, Weights($"{name}.bias", -0.5f, 0.5f, to)] : [input, weight];
        long pad = kernel / 2;
        return Node("Conv", name, inputs, ("kernel_shape", new long[] { kernel, kernel }), ("strides", new long[] { stride, stride }),
            ("pads", new[] { pad, pad, pad, pad }), ("group", groups), ("dilations", new long[] { 1, 1 }));
    }

    /// <summary>A batch normalisation.</summary>
    public string Norm(string input, int channels, string name)
        => Node("BatchNormalization", name,
        [
            input, Weights($"{name}.weight", 0.5f, 1.5f, channels), Weights($"{name}.bias", -0.5f, 0.5f, channels),
            Weights($"{name}.running_mean", -0.5f, 0.5f, channels), Weights($"{name}.running_var", 0.5f, 1.5f, channels),
        ], ("epsilon", 1e-5f), ("momentum", 0.99f));

    /// <summary>The model, with tensors as outputs.</summary>
    public ModelProto Build(params string[] outputs)
    {
        var model = new ModelProto { IrVersion = opset >= 21 ? 10 : opset >= 19 ? 9 : 8, Graph = _graph.Clone() };
        model.OpsetImport.Add(new OperatorSetIdProto { Domain = "", Version = opset });
        foreach (string name in outputs)
        {
            var type = new TypeProto.Types.Tensor { ElemType = (int)TensorProto.Types.DataType.Float };
            model.Graph.Output.Add(new ValueInfoProto { Name = name, Type = new TypeProto { TensorType = type } });
        }

        return model;
    }

    /// <summary>What ONNX Runtime answers for an image.</summary>
    public float[] Run(Tensor image, string output) => Run(Build(output), image, output);

    /// <summary>What ONNX Runtime answers for an image.</summary>
    public static float[] Run(ModelProto model, Tensor image, string output) => (float[])OnnxRun.Run(model.ToByteArray(),
        OnnxRun.Value(model.Graph.Input[0].Name, TensorArrays.Floats(image), [.. image.shape.Select(s => (int)s)]))[output];

    /// <summary>Declares what an input or output holds.</summary>
    public static TypeProto FloatType(params ReadOnlySpan<long> shape)
    {
        var dims = new TensorShapeProto();
        foreach (long size in shape)
        {
            dims.Dim.Add(size < 0 ? new TensorShapeProto.Types.Dimension { DimParam = $"d{dims.Dim.Count}" }
                : new TensorShapeProto.Types.Dimension { DimValue = size });
        }

        return new TypeProto { TensorType = new TypeProto.Types.Tensor { ElemType = (int)TensorProto.Types.DataType.Float, Shape = dims } };
    }
}
