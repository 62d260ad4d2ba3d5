using static TorchSharp.torch;

namespace Microsoft.ML.Distillation.Detectors.Graphs.Operators;

/// <summary>Normalisations; batch normalisation with the statistics that it is given, as in evaluation.</summary>
internal static class Normalisations
{
    public static void AddTo(Dictionary<string, Operator> table)
    {
        table["BatchNormalization"] = call =>
            [nn.functional.batch_norm(call[0], call[3], call[4], call[1], call[2], eps: call.Node.Float("epsilon", 1e-5f))];
    }
}
