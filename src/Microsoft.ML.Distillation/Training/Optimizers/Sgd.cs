using Microsoft.ML.Distillation.Tensors;
using TorchSharp;
using static TorchSharp.torch;

namespace Microsoft.ML.Distillation.Training.Optimizers;

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
