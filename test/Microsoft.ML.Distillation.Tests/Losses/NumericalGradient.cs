using TorchSharp;
using static TorchSharp.torch;

namespace Microsoft.ML.Distillation.Tests.Losses;

/// <summary>Compares a loss's gradient with differences of the loss.</summary>
internal static class NumericalGradient
{
    /// <summary>Fails unless the gradient of <paramref name="loss"/> at <paramref name="at"/> (float64) is that of central
    /// differences.</summary>
    public static void Check(Func<Tensor, Tensor> loss, Tensor at, double tolerance = 1e-6)
    {
        const double step = 1e-5;
        using var scope = NewDisposeScope();
        Tensor input = at.detach().clone().requires_grad_();
        loss(input).backward();
        double[] gradient = input.grad!.data<double>().ToArray();
        double[] values = at.data<double>().ToArray();
        for (int i = 0; i < values.Length; i++)
        {
            double difference = (At(i, step) - At(i, -step)) / (2 * step);
            Assert.That(gradient[i], Is.EqualTo(difference).Within(tolerance), $"element {i}");
        }

        double At(int index, double by)
        {
            double[] moved = [.. values];
            moved[index] += by;
            return loss(tensor(moved, at.shape)).ToDouble();
        }
    }
}
