using Microsoft.ML.Distillation.Losses;
using TorchSharp;
using static TorchSharp.torch;

namespace Microsoft.ML.Distillation.Training;

/// <summary>The weighted sum of a step's loss terms: what is differentiated, checked and logged.</summary>
/// <param name="Names">The names of the K terms.</param>
/// <param name="Weighted">The weighted terms [K].</param>
/// <param name="Total">Their sum.</param>
internal sealed record LossSum(IReadOnlyList<string> Names, Tensor Weighted, Tensor Total)
{
    /// <summary>Sums the terms.</summary>
    public static LossSum Of(IReadOnlyList<LossTerm> terms)
    {
        using var scope = NewDisposeScope();
        Tensor values = stack(terms.Select(term => term.Value));
        Tensor weights = tensor([.. terms.Select(term => (float)term.Weight)], device: values.device);
        Tensor weighted = values.mul(weights);
        return new LossSum([.. terms.Select(term => term.Name)], weighted.MoveToOuterDisposeScope(), weighted.sum().MoveToOuterDisposeScope());
    }

    /// <summary>
    /// The weighted terms and the gradient's norm as numbers. This is the step's one wait for the device.
    /// </summary>
    /// <exception cref="TrainingDivergedException">One of them is not finite.</exception>
    public (double[] Terms, double GradientNorm) Read(Tensor gradients, int step)
    {
        using var scope = NewDisposeScope();
        float[] figures = cat([Weighted.detach(), gradients.norm().view(1)]).cpu().data<float>().ToArray();
        for (int i = 0; i < figures.Length; i++)
        {
            if (!float.IsFinite(figures[i]))
                throw new TrainingDivergedException(step, i < Names.Count ? Names[i] : "gradient", figures[i]);
        }

        return ([.. figures[..^1].Select(figure => (double)figure)], figures[^1]);
    }
}
