using System.Runtime.InteropServices;
using Google.Protobuf;
using Microsoft.ML.Distillation.Onnx.Proto;

namespace Microsoft.ML.Distillation.Onnx;

/// <summary>
/// Builds an ONNX graph one operator at a time. Values are known by their names; every method that makes a value returns
/// its name. Knows operators and tensors, no detector.
/// </summary>
/// <param name="mark">Stands in the names of what is added, where it is to join a graph that another builder made.</param>
internal sealed class GraphBuilder(string mark = "")
{
    /// <summary>The version of the ONNX operator set that graphs are written in.</summary>
    public const int Opset = 18;

    /// <summary>The version that graphs with integers of 4 bits are written in, the first that has them.</summary>
    public const int OpsetOfInt4 = 21;

    private readonly GraphProto _graph = new() { Name = "detector" };
    private readonly HashSet<string> _initializers = [];
    private int _next;
    private bool _hasInt4;

    /// <summary>Declares an input. A dimension is a number, or a name for one that is known only at run time.</summary>
    public string Input(string name, TensorProto.Types.DataType type, params ReadOnlySpan<object> shape)
    {
        _graph.Input.Add(ValueInfo(name, type, shape));
        return name;
    }

    /// <summary>Makes <paramref name="value"/> an output of the graph under the given name.</summary>
    public void Output(string name, string value, TensorProto.Types.DataType type, params ReadOnlySpan<object> shape)
    {
        _graph.Node.Add(Node("Identity", [value], [name]));
        _graph.Output.Add(ValueInfo(name, type, shape));
    }

    /// <summary>Makes a value that an operator puts an output of the graph, under its name.</summary>
    public void Declare(string name, TensorProto.Types.DataType type, params ReadOnlySpan<object> shape)
        => _graph.Output.Add(ValueInfo(name, type, shape));

    /// <summary>Adds an operator with one output; an empty name leaves an optional input out.</summary>
    public string Add(string op, ReadOnlySpan<string> inputs, params ReadOnlySpan<(string Name, object Value)> attributes)
        => Add(op, inputs, 1, attributes)[0];

    /// <summary>Adds an operator with several outputs.</summary>
    /// <param name="attributes">Values are long, int, float, double, string, long[], int[], float[] or a <see cref="TensorProto"/>.</param>
    public string[] Add(string op, ReadOnlySpan<string> inputs, int outputs, params ReadOnlySpan<(string Name, object Value)> attributes)
    {
        var names = new string[outputs];
        for (int i = 0; i < outputs; i++) names[i] = $"{op}_{mark}{_next++}";
        Put(op, inputs, names, attributes);
        return names;
    }

    /// <summary>Adds an operator whose outputs have given names.</summary>
    /// <inheritdoc cref="Add(string, ReadOnlySpan{string}, int, ReadOnlySpan{ValueTuple{string, object}})" path="/param"/>
    public void Put(
        string op, ReadOnlySpan<string> inputs, ReadOnlySpan<string> names, params ReadOnlySpan<(string Name, object Value)> attributes)
    {
        NodeProto node = Node(op, inputs, names);
        foreach ((string name, object value) in attributes) node.Attribute.Add(Attribute(name, value));
        _graph.Node.Add(node);
    }

    /// <summary>Adds an operator of another graph.</summary>
    public void Put(NodeProto node) => _graph.Node.Add(node);

    /// <summary>A constant scalar.</summary>
    public string Scalar(float value) => Initializer($"const_{mark}{_next++}", TensorProto.Types.DataType.Float, Bytes<float>([value]), []);

    /// <inheritdoc cref="Scalar(float)"/>
    public string Scalar(long value) => Initializer($"const_{mark}{_next++}", TensorProto.Types.DataType.Int64, Bytes<long>([value]), []);

    /// <summary>A constant vector of integers: shapes, axes, indices.</summary>
    public string Integers(params ReadOnlySpan<long> values)
        => Initializer($"const_{mark}{_next++}", TensorProto.Types.DataType.Int64, Bytes(values), [values.Length]);

    /// <summary>A tensor of zeros.</summary>
    /// <param name="type">The type of its elements, of <paramref name="size"/> bytes each.</param>
    /// <param name="shape">The value that holds its shape.</param>
    public string Zeros(TensorProto.Types.DataType type, int size, string shape)
    {
        var zero = new TensorProto { DataType = (int)type, RawData = ByteString.CopyFrom(new byte[size]) };
        zero.Dims.Add(1);
        return Add("ConstantOfShape", [shape], ("value", zero));
    }

    /// <summary>A constant tensor of floats.</summary>
    public string Floats(ReadOnlySpan<float> values, params ReadOnlySpan<long> shape)
        => Initializer($"const_{mark}{_next++}", TensorProto.Types.DataType.Float, Bytes(values), shape);

    /// <summary>
    /// A parameter of the model, stored under its own name (that of the state dict), so that it can be read back.
    /// Asking for the same name twice gives the same value.
    /// </summary>
    public string Parameter(string name, ReadOnlySpan<float> values, params ReadOnlySpan<long> shape)
        => _initializers.Contains(name) ? name : Initializer(name, TensorProto.Types.DataType.Float, Bytes(values), shape);

    /// <summary>A parameter of the model of small integers, as
    /// <see cref="Parameter(string, ReadOnlySpan{float}, ReadOnlySpan{long})"/>.</summary>
    /// <param name="bits">8, or 4 to store two in a byte; then the parameter is a constant, since ML.NET 5 refuses initialisers of that
    /// type.</param>
    public string IntegerParameter(string name, ReadOnlySpan<sbyte> values, int bits, params ReadOnlySpan<long> shape)
    {
        if (_initializers.Contains(name)) return name;
        if (bits == 8) return Initializer(name, TensorProto.Types.DataType.Int8, Bytes(values), shape);
        _hasInt4 = true;
        var tensor = new TensorProto
        {
            Name = name,
            DataType = (int)TensorProto.Types.DataType.Int4,
            RawData = ByteString.CopyFrom(Int4.Pack(values))
        };
        foreach (long size in shape) tensor.Dims.Add(size);
        NodeProto node = Node("Constant", [], [name]);
        node.Attribute.Add(Attribute("value", tensor));
        _graph.Node.Add(node);
        _initializers.Add(name);
        return name;
    }

    /// <summary>A parameter of the model that is one byte.</summary>
    public string ByteParameter(string name, byte value)
        => _initializers.Contains(name) ? name : Initializer(name, TensorProto.Types.DataType.Uint8, ByteString.CopyFrom(value), []);

    /// <summary>The finished model.</summary>
    /// <param name="metadata">Key-value pairs that travel with the model.</param>
    public ModelProto Build(IEnumerable<KeyValuePair<string, string>> metadata)
    {
        var model = new ModelProto
        {
            // The first that knows integers of 4 bits is 10.
            IrVersion = _hasInt4 ? 10 : 8,
            ProducerName = "ML.Distillation",
            ProducerVersion = typeof(GraphBuilder).Assembly.GetName().Version!.ToString(3),
            Graph = _graph,
        };
        model.OpsetImport.Add(new OperatorSetIdProto { Domain = "", Version = _hasInt4 ? OpsetOfInt4 : Opset });
        foreach ((string key, string value) in metadata)
            model.MetadataProps.Add(new StringStringEntryProto { Key = key, Value = value });
        return model;
    }

    private string Initializer(string name, TensorProto.Types.DataType type, ByteString data, ReadOnlySpan<long> shape)
    {
        var tensor = new TensorProto { Name = name, DataType = (int)type, RawData = data };
        foreach (long size in shape) tensor.Dims.Add(size);
        _graph.Initializer.Add(tensor);
        _initializers.Add(name);
        return name;
    }

    private static ByteString Bytes<T>(ReadOnlySpan<T> values) where T : unmanaged => ByteString.CopyFrom(MemoryMarshal.AsBytes(values));

    private NodeProto Node(string op, ReadOnlySpan<string> inputs, ReadOnlySpan<string> outputs)
    {
        var node = new NodeProto { OpType = op, Name = $"{op}_{mark}{_next++}" };
        foreach (string input in inputs) node.Input.Add(input);
        foreach (string output in outputs) node.Output.Add(output);
        return node;
    }

    private static ValueInfoProto ValueInfo(string name, TensorProto.Types.DataType type, ReadOnlySpan<object> shape)
    {
        var dims = new TensorShapeProto();
        foreach (object size in shape)
        {
            dims.Dim.Add(size switch
            {
                string symbol => new TensorShapeProto.Types.Dimension { DimParam = symbol },
                int number => new TensorShapeProto.Types.Dimension { DimValue = number },
                long number => new TensorShapeProto.Types.Dimension { DimValue = number },
                _ => throw new ArgumentException($"A dimension is a number or a name, not {size}.", nameof(shape)),
            });
        }

        var tensor = new TypeProto.Types.Tensor { ElemType = (int)type, Shape = dims };
        return new ValueInfoProto { Name = name, Type = new TypeProto { TensorType = tensor } };
    }

    private static AttributeProto Attribute(string name, object value)
    {
        var attribute = new AttributeProto { Name = name };
        switch (value)
        {
            case int or long:
                attribute.Type = AttributeProto.Types.AttributeType.Int;
                attribute.I = Convert.ToInt64(value, System.Globalization.CultureInfo.InvariantCulture);
                break;
            case float or double:
                attribute.Type = AttributeProto.Types.AttributeType.Float;
                attribute.F = Convert.ToSingle(value, System.Globalization.CultureInfo.InvariantCulture);
                break;
            case string text:
                attribute.Type = AttributeProto.Types.AttributeType.String;
                attribute.S = ByteString.CopyFromUtf8(text);
                break;
            case long[] numbers:
                attribute.Type = AttributeProto.Types.AttributeType.Ints;
                attribute.Ints.AddRange(numbers);
                break;
            case int[] numbers:
                attribute.Type = AttributeProto.Types.AttributeType.Ints;
                attribute.Ints.AddRange(numbers.Select(n => (long)n));
                break;
            case float[] numbers:
                attribute.Type = AttributeProto.Types.AttributeType.Floats;
                attribute.Floats.AddRange(numbers);
                break;
            case TensorProto tensor:
                attribute.Type = AttributeProto.Types.AttributeType.Tensor;
                attribute.T = tensor;
                break;
            default:
                throw new ArgumentException($"An attribute cannot hold a {value.GetType()}.", nameof(value));
        }

        return attribute;
    }
}
