using Microsoft.ML.Distillation.Files;
using Microsoft.ML.Distillation.Onnx.Proto;

namespace Microsoft.ML.Distillation.Detectors.Graphs;

/// <summary>An operator of a graph: its inputs and outputs by name, its attributes.</summary>
internal sealed class GraphNode(NodeProto proto)
{
    public NodeProto Proto { get; } = proto;

    public string Op => Proto.OpType;

    /// <summary>The names of the inputs; an empty one is left out.</summary>
    public IReadOnlyList<string> Inputs => Proto.Input;

    public IReadOnlyList<string> Outputs => Proto.Output;

    /// <summary>The operator and its name, for messages.</summary>
    public string Label
        => $"{ShortText.Of(Op)} '{ShortText.Of(Proto.Name.Length > 0 ? Proto.Name : Outputs is [var first, ..] ? first : "")}'";

    /// <summary>The name of an input, empty where it is left out.</summary>
    public string Input(int index) => index < Inputs.Count ? Inputs[index] : "";

    public bool Has(string attribute) => Find(attribute) is not null;

    public long Int(string attribute, long otherwise = 0) => Find(attribute)?.I ?? otherwise;

    public bool Flag(string attribute) => Int(attribute) != 0;

    public float Float(string attribute, float otherwise) => Find(attribute)?.F ?? otherwise;

    public string Text(string attribute, string otherwise) => Find(attribute)?.S.ToStringUtf8() ?? otherwise;

    public long[]? Ints(string attribute) => Find(attribute) is { } found ? [.. found.Ints] : null;

    public float[]? Floats(string attribute) => Find(attribute) is { } found ? [.. found.Floats] : null;

    public TensorProto? Tensor(string attribute) => Find(attribute)?.T;

    /// <summary>The attributes as <see cref="Onnx.GraphBuilder"/> takes them.</summary>
    public (string Name, object Value)[] Attributes() => [.. Proto.Attribute.Select(a => (a.Name, Value(a)))];

    private object Value(AttributeProto attribute) => attribute.Type switch
    {
        AttributeProto.Types.AttributeType.Int => attribute.I,
        AttributeProto.Types.AttributeType.Float => attribute.F,
        AttributeProto.Types.AttributeType.String => attribute.S.ToStringUtf8(),
        AttributeProto.Types.AttributeType.Ints => attribute.Ints.ToArray(),
        AttributeProto.Types.AttributeType.Floats => attribute.Floats.ToArray(),
        AttributeProto.Types.AttributeType.Tensor => attribute.T,
        _ => throw new NotSupportedException($"The attribute '{attribute.Name}' of {Label} is of a kind that is not supported."),
    };

    private AttributeProto? Find(string name) => Proto.Attribute.FirstOrDefault(a => a.Name == name);
}
