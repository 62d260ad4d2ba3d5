using TorchSharp;
using TorchSharp.Modules;
using static TorchSharp.torch;

namespace Microsoft.ML.Distillation.Training.Optimizers;

/// <summary>
/// The parameters of some modules as one vector, and their gradients as another. An optimiser then needs a handful of
/// operations for a step, however many small parameters there are.
/// </summary>
/// <remarks>
/// The gradients are views of <see cref="Gradients"/>, so the backward pass writes straight into it. <see cref="Values"/> is a
/// master copy: <see cref="Publish"/> copies it (or another vector of its kind) into the parameters.
/// </remarks>
internal sealed class FlatParameters : IDisposable
{
    private readonly Parameter[] _parameters;
    private readonly Tensor[] _gradientViews;
    private readonly Tensor? _rateShares;
    private readonly Tensor? _decayingRateShares;

    /// <summary>Gathers the parameters that ask for gradients. Modules must be on their device already.</summary>
    /// <param name="rateShareOf">
    /// The learning rate of a module's parameter, as a share of the optimiser's; <see langword="null"/>: 1 for all.
    /// </param>
    public FlatParameters(IEnumerable<nn.Module> modules, Func<nn.Module, Parameter, double>? rateShareOf = null)
    {
        // Matrices and kernels first: they decay, while biases and the weights of normalisation layers do not.
        (Parameter Parameter, double RateShare)[] gathered = [.. modules
            .SelectMany(module => module.parameters(), (module, parameter) => (parameter, rateShareOf?.Invoke(module, parameter) ?? 1))
            .Where(one => one.parameter.requires_grad).OrderBy(one => one.parameter.dim() > 1 ? 0 : 1)];
        _parameters = [.. gathered.Select(one => one.Parameter)];
        Count = _parameters.Sum(parameter => parameter.numel());
        long decaying = _parameters.Where(parameter => parameter.dim() > 1).Sum(parameter => parameter.numel());

        using var scope = NewDisposeScope();
        using IDisposable frozen = no_grad();
        Device device = _parameters.Length > 0 ? _parameters[0].device : CPU;
        Values = zeros(Count, ScalarType.Float32, device).DetachFromDisposeScope();
        Gradients = zeros(Count, ScalarType.Float32, device).DetachFromDisposeScope();
        DecayingValues = Values.narrow(0, 0, decaying).DetachFromDisposeScope();
        DecayingGradients = Gradients.narrow(0, 0, decaying).DetachFromDisposeScope();
        _gradientViews = [.. Views(Gradients).Select(view => view.DetachFromDisposeScope())];
        for (int i = 0; i < _parameters.Length; i++) _parameters[i].grad = _gradientViews[i];
        if (gathered.Any(one => one.RateShare != 1))
        {
            float[] shares = [.. gathered.SelectMany(one => Enumerable.Repeat((float)one.RateShare, (int)one.Parameter.numel()))];
            _rateShares = tensor(shares, device: device).DetachFromDisposeScope();
            _decayingRateShares = _rateShares.narrow(0, 0, decaying).DetachFromDisposeScope();
        }

        Gather();
    }

    /// <summary>The number of values.</summary>
    public long Count { get; }

    /// <summary>The values.</summary>
    public Tensor Values { get; }

    /// <summary>The gradients of the last backward pass, summed since they were last set to 0.</summary>
    public Tensor Gradients { get; }

    /// <summary>The part of <see cref="Values"/> that weight decay acts on.</summary>
    public Tensor DecayingValues { get; }

    /// <summary>The gradients of <see cref="DecayingValues"/>.</summary>
    public Tensor DecayingGradients { get; }

    /// <summary>Reads the values back from the parameters, after something else wrote to these.</summary>
    public void Gather()
    {
        using var scope = NewDisposeScope();
        using IDisposable frozen = no_grad();
        foreach ((Tensor view, Parameter parameter) in Views(Values).Zip(_parameters)) view.copy_(parameter);
    }

    /// <summary>Writes a vector of values into the parameters.</summary>
    public void Publish(Tensor values)
    {
        using var scope = NewDisposeScope();
        using IDisposable frozen = no_grad();
        foreach ((Tensor view, Parameter parameter) in Views(values).Zip(_parameters)) parameter.copy_(view);
    }

    /// <summary>Scales the gradients down to a norm.</summary>
    /// <param name="norm">Their norm now.</param>
    /// <param name="largest">The largest norm that is left as it is; 0 for no limit.</param>
    public void Clip(double norm, double largest)
    {
        if (largest <= 0 || norm <= largest) return;
        using IDisposable frozen = no_grad();
        using Scalar factor = largest / norm;
        Gradients.mul_(factor);
    }

    /// <summary>
    /// A step [<see cref="Count"/>] of the optimiser's learning rate, each value of it brought to the rate of its parameter.
    /// </summary>
    public Tensor AtOwnRate(Tensor step) => _rateShares is null ? step : step.mul(_rateShares);

    /// <summary>Shrinks the values that decay, each at the rate of its parameter.</summary>
    /// <param name="share">The share that goes, at the optimiser's learning rate.</param>
    public void Decay(double share)
    {
        using Scalar shrink = 1 - share, loss = -share;
        if (_decayingRateShares is null) DecayingValues.mul_(shrink);
        else DecayingValues.addcmul_(DecayingValues, _decayingRateShares, loss);
    }

    /// <summary>Frees the vectors and takes the gradients off the parameters, which keep their values.</summary>
    public void Dispose()
    {
        foreach (Parameter parameter in _parameters) parameter.grad = null;
        foreach (Tensor view in _gradientViews) view.Dispose();
        _decayingRateShares?.Dispose();
        _rateShares?.Dispose();
        DecayingGradients.Dispose();
        DecayingValues.Dispose();
        Gradients.Dispose();
        Values.Dispose();
    }

    private IEnumerable<Tensor> Views(Tensor vector)
    {
        Tensor[] parts = vector.split([.. _parameters.Select(parameter => parameter.numel())]);
        return parts.Zip(_parameters, (part, parameter) => part.view(parameter.shape));
    }
}
