using Microsoft.ML.Distillation.Onnx.Proto;

namespace Microsoft.ML.Distillation.Detectors.Graphs;

/// <summary>A graph in the making: nodes in the order in which they run, constants by name.</summary>
internal sealed class GraphEditor(IReadOnlyDictionary<string, TensorProto> initializers)
{
    private readonly HashSet<string> _names = new(StringComparer.Ordinal);
    private int _next;

    public List<GraphNode> Nodes { get; } = [];

    public Dictionary<string, TensorProto> Initializers { get; } = new(initializers);

    /// <summary>Names that new values must not take.</summary>
    public void Reserve(IEnumerable<string> names) => _names.UnionWith(names);

    /// <summary>A name that no value has, made of another.</summary>
    public string Fresh(string stem)
    {
        string name;
        do name = $"{stem}__{_next++}";
        while (_names.Contains(name) || Initializers.ContainsKey(name));
        _names.Add(name);
        return name;
    }

    /// <summary>A constant vector of integers.</summary>
    public string Integers(string stem, params ReadOnlySpan<long> values)
    {
        string name = Fresh(stem);
        Initializers[name] = GraphTensors.Integers(name, values);
        return name;
    }

    /// <summary>A constant of real numbers.</summary>
    public string Floats(string stem, ReadOnlySpan<float> values, params ReadOnlySpan<long> shape)
    {
        string name = Fresh(stem);
        Initializers[name] = GraphTensors.Floats(name, values, shape);
        return name;
    }

    /// <summary>Adds an operator whose outcome gets a new name.</summary>
    public string Add(string op, string stem, IEnumerable<string> inputs, params ReadOnlySpan<AttributeProto> attributes)
    {
        string name = Fresh(stem);
        return Put(op, name, inputs, name, attributes);
    }

    /// <summary>Adds an operator.</summary>
    /// <param name="label">The node's name, for messages.</param>
    /// <param name="output">The name of its outcome.</param>
    public string Put(string op, string label, IEnumerable<string> inputs, string output, params ReadOnlySpan<AttributeProto> attributes)
    {
        var node = new NodeProto { OpType = op, Name = label };
        node.Input.AddRange(inputs);
        node.Output.Add(output);
        foreach (AttributeProto attribute in attributes) node.Attribute.Add(attribute);
        Nodes.Add(new GraphNode(node));
        return output;
    }

    /// <summary>Adds a copy of a node with other inputs, and without some of its attributes.</summary>
    public void Keep(GraphNode node, IEnumerable<string> inputs, params ReadOnlySpan<string> without)
    {
        NodeProto copy = node.Proto.Clone();
        string[] wanted = [.. inputs];
        copy.Input.Clear();
        copy.Input.AddRange(wanted);
        foreach (string name in without)
        {
            if (copy.Attribute.FirstOrDefault(a => a.Name == name) is { } found) copy.Attribute.Remove(found);
        }

        Nodes.Add(new GraphNode(copy));
    }
}

/// <summary>Attributes of operators.</summary>
internal static class GraphAttributes
{
    public static AttributeProto Of(string name, long value)
        => new() { Name = name, Type = AttributeProto.Types.AttributeType.Int, I = value };

    public static AttributeProto Of(string name, float value)
        => new() { Name = name, Type = AttributeProto.Types.AttributeType.Float, F = value };

    public static AttributeProto Of(string name, string value) => new()
    {
        Name = name,
        Type = AttributeProto.Types.AttributeType.String,
        S = Google.Protobuf.ByteString.CopyFromUtf8(value),
    };

    public static AttributeProto Of(string name, ReadOnlySpan<long> values)
    {
        var attribute = new AttributeProto { Name = name, Type = AttributeProto.Types.AttributeType.Ints };
        foreach (long value in values) attribute.Ints.Add(value);
        return attribute;
    }
}
