using static TorchSharp.torch;

namespace Microsoft.ML.Distillation.Detectors.Graphs.Operators;

/// <summary>What moves values without changing them.</summary>
internal static class Shapes
{
    public static void AddTo(Dictionary<string, Operator> table)
    {
        table["Concat"] = Concat;
    }

    private static Tensor[] Concat(OperatorCall call)
    {
        Tensor[] parts = [.. Enumerable.Range(0, call.Count).Where(call.Has).Select(i => call[i])];
        return [cat(parts, call.Axis(call.Node.Int("axis"), parts[0].shape.Length))];
    }
}
