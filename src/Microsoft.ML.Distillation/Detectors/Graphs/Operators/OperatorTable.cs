namespace Microsoft.ML.Distillation.Detectors.Graphs.Operators;

/// <summary>The operators that a graph may be made of, as ONNX 18 defines them; see <see cref="OpsetUpgrade"/> for others.</summary>
internal static class OperatorTable
{
    private static readonly Dictionary<string, Operator> Known = new(StringComparer.Ordinal);

    static OperatorTable()
    {
        Convolutions.AddTo(Known);
        Normalisations.AddTo(Known);
        Activations.AddTo(Known);
        Arithmetic.AddTo(Known);
        Shapes.AddTo(Known);
        Selections.AddTo(Known);
        Pooling.AddTo(Known);
        Resizing.AddTo(Known);
    }

    public static bool Knows(string op) => Known.ContainsKey(op);

    /// <summary>An operator's arithmetic.</summary>
    /// <exception cref="NotSupportedException">There is no such operator here.</exception>
    public static Operator Find(GraphNode node) => Known.GetValueOrDefault(node.Op)
        ?? throw new NotSupportedException($"The operator {node.Label} is not supported.");
}
