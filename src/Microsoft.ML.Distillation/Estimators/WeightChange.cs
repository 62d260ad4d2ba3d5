using Microsoft.ML.Distillation.Detectors;
using Microsoft.ML.Distillation.Tensors;
using TorchSharp;
using static TorchSharp.torch;

namespace Microsoft.ML.Distillation.Estimators;

/// <summary>A detector's weights, each changed by up to a small share of itself, until this is disposed.</summary>
internal sealed class WeightChange : IDisposable
{
    private readonly List<(Tensor Weight, Tensor Kept)> _weights = [];

    /// <param name="share">The largest relative change.</param>
    public WeightChange(Detector detector, double share)
    {
        using var scope = NewDisposeScope();
        using IDisposable frozen = no_grad();
        using Scalar factor = share;
        foreach (Tensor weight in detector.parameters())
        {
            _weights.Add((weight, weight.clone().DetachFromDisposeScope()));
            // A wave along the weights: the same for the same network, and of no pattern that the network knows.
            Tensor wave = ones_like(weight).reshape(-1).cumsum(0).sin().mul(factor).reshape(weight.shape);
            weight.copy_(weight.Plus(weight.mul(wave)));
        }
    }

    /// <inheritdoc/>
    public void Dispose()
    {
        using IDisposable frozen = no_grad();
        foreach ((Tensor weight, Tensor kept) in _weights)
        {
            weight.copy_(kept);
            kept.Dispose();
        }
    }
}
