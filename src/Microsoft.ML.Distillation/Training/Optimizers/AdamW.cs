using TorchSharp;
using static TorchSharp.torch;

namespace Microsoft.ML.Distillation.Training.Optimizers;

// θ ← (1 − η λ) θ;   m ← β₁ m + (1 − β₁) g;   v ← β₂ v + (1 − β₂) g²;   θ ← θ − η / (1 − β₁ᵗ) · m / (√(v / (1 − β₂ᵗ)) + ε)
//
// Loshchilov and Hutter, Decoupled Weight Decay Regularization (ICLR 2019); the order of operations is PyTorch's.

/// <summary>Adam with decoupled weight decay; the formula stands at the top of the file.</summary>
internal sealed class AdamW : FlatOptimizer
{
    private const double Beta1 = 0.9;
    private const double Beta2 = 0.999;
    private const double Epsilon = 1e-8;

    private readonly FlatParameters _parameters;
    private readonly double _weightDecay;
    private readonly Tensor _mean;
    private readonly Tensor _square;

    public AdamW(FlatParameters parameters, double weightDecay)
    {
        _parameters = parameters;
        _weightDecay = weightDecay;
        _mean = zeros_like(parameters.Values).DetachFromDisposeScope();
        _square = zeros_like(parameters.Values).DetachFromDisposeScope();
        State = new Dictionary<string, Tensor> { ["mean"] = _mean, ["square"] = _square };
    }

    public override IReadOnlyDictionary<string, Tensor> State { get; }

    public override void Step(double learningRate, int step)
    {
        using var scope = NewDisposeScope();
        using IDisposable frozen = no_grad();
        using Scalar beta1 = Beta1, beta2 = Beta2, rest1 = 1 - Beta1, rest2 = 1 - Beta2, epsilon = Epsilon, one = 1;
        using Scalar meanCorrection = -learningRate / (1 - Math.Pow(Beta1, step));
        using Scalar squareCorrection = Math.Sqrt(1 - Math.Pow(Beta2, step));

        Tensor gradients = _parameters.Gradients;
        _parameters.Decay(learningRate * _weightDecay);
        _mean.mul_(beta1).add_(gradients, rest1);
        _square.mul_(beta2).addcmul_(gradients, gradients, rest2);
        Tensor denominator = _square.sqrt().div_(squareCorrection).add_(epsilon, one);
        _parameters.Values.addcdiv_(_parameters.AtOwnRate(_mean), denominator, meanCorrection);
        _parameters.Publish(_parameters.Values);
    }
}
