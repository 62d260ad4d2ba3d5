using static TorchSharp.torch;

namespace Microsoft.ML.Distillation.Detectors.Graphs.Operators;

/// <summary>Normalisations; batch normalisation with the statistics that it is given, as in evaluation.</summary>
internal static class Normalisations
{
    public static void AddTo(Dictionary<string, Operator> table)
    {
        table["BatchNormalization"] = call =>
            [nn.functional.batch_norm(call[0], call[3], call[4], call[1], call[2], eps: call.Node.Float("epsilon", 1e-5f))];
        table["InstanceNormalization"] = call =>
            [nn.functional.instance_norm(call[0], weight: call[1], bias: call[2], eps: call.Node.Float("epsilon", 1e-5f))];
        table["LayerNormalization"] = LayerNorm;
        table["LRN"] = LocalResponse;
    }

    private static Tensor[] LayerNorm(OperatorCall call)
    {
        long[] shape = call.Shape(0);
        long[] normalised = shape[(int)call.Axis(call.Node.Int("axis", -1), shape.Length)..];
        return [nn.functional.layer_norm(call[0], normalised, call[1].expand(normalised), call.Optional(2)?.expand(normalised),
            call.Node.Float("epsilon", 1e-5f))];
    }

    // x / (bias + alpha / size · Σ x²)^beta over size channels around each.
    private static Tensor[] LocalResponse(OperatorCall call)
    {
        long size = call.Node.Int("size");
        using TorchSharp.Scalar alpha = call.Node.Float("alpha", 1e-4f) / size, bias = call.Node.Float("bias", 1), one = 1f,
            beta = call.Node.Float("beta", 0.75f);
        Tensor x = call[0], squares = nn.functional.pad(x.square(), [0, 0, 0, 0, (size - 1) / 2, size / 2]);
        long channels = x.shape[1];
        Tensor sum = squares.narrow(1, 0, channels);
        for (long i = 1; i < size; i++) sum = sum.add(squares.narrow(1, i, channels), one);
        return [x.div(sum.mul(alpha).add(bias, one).pow(beta))];
    }
}
