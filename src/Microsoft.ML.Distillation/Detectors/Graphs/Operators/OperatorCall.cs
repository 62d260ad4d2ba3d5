using Microsoft.ML.Distillation.Detectors.Boxes;
using static TorchSharp.torch;

namespace Microsoft.ML.Distillation.Detectors.Graphs.Operators;

/// <summary>An operator's arithmetic; what it returns are new tensors, one for each output that is wanted.</summary>
internal delegate Tensor[] Operator(OperatorCall call);

/// <summary>What an operator is called with.</summary>
internal sealed class OperatorCall(GraphNode node, GraphValue?[] inputs, Device device, ScalarType type, bool shapesOnly)
{
    public GraphNode Node { get; } = node;

    public Device Device => device;

    /// <summary>The type of real numbers.</summary>
    public ScalarType Type => type;

    /// <summary>Whether the shape of the outcome is all that matters.</summary>
    public bool ShapesOnly => shapesOnly;

    public int Count => inputs.Length;

    /// <summary>An input, on the device where the operator runs.</summary>
    public Tensor this[int index] => Optional(index)
        ?? throw new FormatException($"{Node.Label} lacks its input {index + 1}.");

    public bool Has(int index) => index < inputs.Length && inputs[index] is not null;

    /// <summary>Whether an input is computed of shapes and constants alone.</summary>
    public bool IsHost(int index) => Has(index) && inputs[index]!.IsHost;

    public Tensor? Optional(int index) => Has(index) ? inputs[index]!.On(device, type) : null;

    /// <summary>An input's shape.</summary>
    public long[] Shape(int index) => inputs[index]!.Tensor.shape;

    /// <summary>The integers of an input that must not depend on the image.</summary>
    public long[] Integers(int index) => TensorArrays.Integers(Host(index));

    /// <summary>The integers of an input, or null where it is left out.</summary>
    public long[]? OptionalIntegers(int index) => Has(index) ? Integers(index) : null;

    /// <summary>The numbers of an input that must not depend on the image.</summary>
    public float[] Floats(int index) => TensorArrays.Floats(Host(index));

    /// <summary>The number of an input that must not depend on the image, or null where it is left out.</summary>
    public float? OptionalFloat(int index) => Has(index) ? Floats(index)[0] : null;

    /// <summary>An axis counted from the front.</summary>
    /// <param name="rank">The number of axes that it may be of.</param>
    public long Axis(long axis, int rank) => axis >= -rank && axis < rank ? (axis + rank) % rank
        : throw new FormatException($"{Node.Label} names the axis {axis} of a tensor of {rank}.");

    private Tensor Host(int index)
    {
        GraphValue value = inputs[index] ?? throw new FormatException($"{Node.Label} lacks its input {index + 1}.");
        return value.IsHost ? value.Tensor : throw new NotSupportedException(
            $"{Node.Label} takes its input {index + 1} ('{Node.Input(index)}') from the values of the image or of a parameter; only one "
            + "that is computed of constants and shapes is supported.");
    }
}
