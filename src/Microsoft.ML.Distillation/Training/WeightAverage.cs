using Microsoft.ML.Distillation.Training.Optimizers;
using static TorchSharp.torch;

namespace Microsoft.ML.Distillation.Training;

// θ̄ ← d θ̄ + (1 − d) θ,     d = min(decay, (1 + t) / (10 + t))
//
// Polyak averaging in its exponential form; the rising decay forgets the initial weights quickly (as in TensorFlow's
// ExponentialMovingAverage). Running statistics of normalisation layers are averaged like weights.

/// <summary>A running average of a detector's weights and buffers; the formula stands at the top of the file.</summary>
internal sealed class WeightAverage : IDisposable
{
    private readonly FlatParameters _parameters;
    private readonly double _decay;
    private readonly Tensor[] _buffers;
    private readonly Tensor[] _averagedBuffers;
    private readonly Tensor _values;

    public WeightAverage(FlatParameters parameters, nn.Module module, double decay)
    {
        _parameters = parameters;
        _decay = decay;
        _buffers = [.. module.buffers().Where(buffer => buffer.is_floating_point())];
        _values = parameters.Values.clone().DetachFromDisposeScope();
        _averagedBuffers = [.. _buffers.Select(buffer => buffer.clone().DetachFromDisposeScope())];
        State = _averagedBuffers.Select((tensor, i) => ($"buffer.{i}", tensor)).Append(("values", _values))
            .ToDictionary(entry => entry.Item1, entry => entry.Item2);
    }

    /// <summary>The average, by name: a checkpoint holds it.</summary>
    public IReadOnlyDictionary<string, Tensor> State { get; }

    /// <summary>Takes in the weights of a step.</summary>
    /// <param name="step">The number of the step, from 1.</param>
    public void Update(int step)
    {
        using var scope = NewDisposeScope();
        using IDisposable frozen = no_grad();
        Tensor share = tensor((float)(1 - Math.Min(_decay, (1.0 + step) / (10.0 + step))), device: _values.device);
        _values.lerp_(_parameters.Values, share);
        for (int i = 0; i < _buffers.Length; i++) _averagedBuffers[i].lerp_(_buffers[i], share);
    }

    /// <summary>Puts the average in the place of the weights until the result is disposed.</summary>
    public IDisposable Apply()
    {
        Tensor[] saved = [.. _buffers.Select(buffer => buffer.clone().DetachFromDisposeScope())];
        Publish();
        return new Restoration(() =>
        {
            _parameters.Publish(_parameters.Values);
            Copy(saved, _buffers);
            foreach (Tensor tensor in saved) tensor.Dispose();
        });
    }

    /// <summary>Puts the average in the place of the weights for good.</summary>
    public void Publish()
    {
        _parameters.Publish(_values);
        Copy(_averagedBuffers, _buffers);
    }

    /// <inheritdoc/>
    public void Dispose()
    {
        foreach (Tensor tensor in State.Values) tensor.Dispose();
    }

    private static void Copy(Tensor[] from, Tensor[] to)
    {
        using var scope = NewDisposeScope();
        using IDisposable frozen = no_grad();
        for (int i = 0; i < to.Length; i++) to[i].copy_(from[i]);
    }

    private sealed class Restoration(Action restore) : IDisposable
    {
        public void Dispose() => restore();
    }
}
