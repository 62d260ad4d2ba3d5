using TorchSharp;
using static TorchSharp.torch;

namespace Microsoft.ML.Distillation.Training.Optimizers;

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
