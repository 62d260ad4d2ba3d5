using Microsoft.ML.Distillation.Tensors;
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

// b ← μ b + g + λ θ;   θ ← θ − η b
//
// Sutskever et al., On the importance of initialization and momentum in deep learning (ICML 2013), in PyTorch's form.

/// <summary>Stochastic gradient descent with momentum; the formula stands at the top of the file.</summary>
internal sealed class Sgd : FlatOptimizer
{
    private readonly FlatParameters _parameters;
    private readonly double _weightDecay;
    private readonly double _momentum;
    private readonly Tensor _velocity;

    public Sgd(FlatParameters parameters, double weightDecay, double momentum)
    {
        _parameters = parameters;
        _weightDecay = weightDecay;
        _momentum = momentum;
        _velocity = zeros_like(parameters.Values).DetachFromDisposeScope();
        State = new Dictionary<string, Tensor> { ["velocity"] = _velocity };
    }

    public override IReadOnlyDictionary<string, Tensor> State { get; }

    public override void Step(double learningRate, int step)
    {
        using var scope = NewDisposeScope();
        using IDisposable frozen = no_grad();
        using Scalar momentum = _momentum, decay = _weightDecay, rate = -learningRate;
        _parameters.DecayingGradients.add_(_parameters.DecayingValues, decay);
        _velocity.mul_(momentum).PlusInPlace(_parameters.Gradients);
        _parameters.Values.add_(_parameters.AtOwnRate(_velocity), rate);
        _parameters.Publish(_parameters.Values);
    }
}

/// <summary>
/// An optimiser over <see cref="FlatParameters"/>. TorchSharp's own optimisers loop over parameters in C#: 2.5 ms a step for a
/// small network of 60 parameters, where this needs 0.2 ms.
/// </summary>
internal abstract class FlatOptimizer : IDisposable
{
    /// <summary>What the optimiser remembers between steps, by name: a checkpoint holds it.</summary>
    public abstract IReadOnlyDictionary<string, Tensor> State { get; }

    /// <summary>Makes the optimiser that the options ask for.</summary>
    public static FlatOptimizer Create(OptimizerKind kind, FlatParameters parameters, double weightDecay, double momentum) =>
        kind switch
        {
            OptimizerKind.AdamW => new AdamW(parameters, weightDecay),
            OptimizerKind.Sgd => new Sgd(parameters, weightDecay, momentum),
            _ => throw new ArgumentOutOfRangeException(nameof(kind), kind, "There is no such optimiser."),
        };

    /// <summary>Changes the parameters' values along their gradients, and publishes them.</summary>
    /// <param name="learningRate">The learning rate of this step.</param>
    /// <param name="step">The number of this step, from 1.</param>
    public abstract void Step(double learningRate, int step);

    /// <inheritdoc/>
    public void Dispose()
    {
        foreach (Tensor tensor in State.Values) tensor.Dispose();
    }
}
