using Microsoft.ML.Distillation.Tensors;
using TorchSharp;
using static TorchSharp.torch;

namespace Microsoft.ML.Distillation.Detectors.Graphs.Operators;

/// <summary>Functions of one value, with constants of theirs.</summary>
internal static class Activations
{
    public static void AddTo(Dictionary<string, Operator> table)
    {
        Add("Relu", x => x.relu());
        Add("Sigmoid", x => x.sigmoid());
        Add("Tanh", x => x.tanh());
        Add("Softplus", x => nn.functional.softplus(x));
        Add("Mish", x => x.mul(nn.functional.softplus(x).tanh()));
        Add("Erf", x => x.erf());
        Add("HardSwish", x => x.hardswish());
        Add("Identity", x => x.alias());
        table["LeakyRelu"] = call => [nn.functional.leaky_relu(call[0], call.Node.Float("alpha", 0.01f))];
        table["Elu"] = call => [nn.functional.elu(call[0], call.Node.Float("alpha", 1))];
        table["PRelu"] = PRelu;
        table["Clip"] = Clip;
        table["HardSigmoid"] = HardSigmoid;
        Add("Softsign", x => x.div(x.abs().Plus(ones_like(x))));
        table["Celu"] = call => [nn.functional.celu(call[0], call.Node.Float("alpha", 1))];
        table["Selu"] = Selu;
        table["LogSoftmax"] = call => [call[0].log_softmax(call.Axis(call.Node.Int("axis", -1), call[0].shape.Length))];
        table["Softmax"] = call => [call[0].softmax(call.Axis(call.Node.Int("axis", -1), call[0].shape.Length))];

        void Add(string op, Func<Tensor, Tensor> function) => table[op] = call => [function(call[0])];
    }

    // max(x, 0) + slope · min(x, 0), the slope broadcast to x.
    private static Tensor[] PRelu(OperatorCall call)
    {
        Tensor x = call[0];
        return [where(x.lt(zeros_like(x)), x.mul(call[1]), x)];
    }

    // gamma · (max(x, 0) + alpha · (exp(min(x, 0)) − 1)).
    private static Tensor[] Selu(OperatorCall call)
    {
        using Scalar gamma = call.Node.Float("gamma", 1.0507009873554805f);
        return [nn.functional.elu(call[0], call.Node.Float("alpha", 1.6732632423543772f)).mul(gamma)];
    }

    private static Tensor[] Clip(OperatorCall call)
    {
        float low = call.OptionalFloat(1) ?? float.MinValue, high = call.OptionalFloat(2) ?? float.MaxValue;
        using Scalar least = low, most = high;
        return [call[0].is_floating_point() ? call[0].clamp(least, most) : Whole(call, low, high)];
    }

    private static Tensor Whole(OperatorCall call, float low, float high)
    {
        using Scalar least = (long)low, most = (long)high;
        return call[0].clamp(least, most);
    }

    // max(0, min(1, alpha · x + beta)).
    private static Tensor[] HardSigmoid(OperatorCall call)
    {
        using Scalar alpha = call.Node.Float("alpha", 0.2f), beta = call.Node.Float("beta", 0.5f), zero = 0f, one = 1f;
        return [call[0].mul(alpha).add(beta, one).clamp(zero, one)];
    }
}
