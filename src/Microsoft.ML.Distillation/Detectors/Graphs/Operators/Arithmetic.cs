using Microsoft.ML.Distillation.Tensors;

namespace Microsoft.ML.Distillation.Detectors.Graphs.Operators;

/// <summary>Arithmetic between tensors that are broadcast to one shape.</summary>
internal static class Arithmetic
{
    public static void AddTo(Dictionary<string, Operator> table)
    {
        table["Add"] = call => [call[0].Plus(call[1])];
        table["Sub"] = call => [call[0].sub(call[1])];
        table["Mul"] = call => [call[0].mul(call[1])];
    }
}
