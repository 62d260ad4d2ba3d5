namespace Microsoft.ML.Distillation;

/// <summary>One output of an ONNX model for one image.</summary>
/// <param name="Name">The output's name in the graph.</param>
/// <param name="Shape">Its shape, without the batch's axis.</param>
/// <param name="Values">Its values in row-major order.</param>
/// <param name="IsInteger">Whether the graph gives them as integers.</param>
public sealed record OnnxOutput(string Name, IReadOnlyList<int> Shape, ReadOnlyMemory<float> Values, bool IsInteger = false)
{
    /// <inheritdoc/>
    public override string ToString() => $"'{Name}' [{string.Join(", ", Shape)}]";
}
