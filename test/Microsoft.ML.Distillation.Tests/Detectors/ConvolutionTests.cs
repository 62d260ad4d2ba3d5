using Microsoft.ML.Distillation.Detectors.Backbones;
using TorchSharp;
using static TorchSharp.torch;

namespace Microsoft.ML.Distillation.Tests.Detectors;

public class ConvolutionTests
{
    private const float Tolerance = 1e-4f;

    [Test]
    public void ValuesAndGradients_EqualAMatrixProduct_WhateverTheChannels()
    {
        random.manual_seed(1);
        foreach (int from in new[] { 8, 16, 24, 32, 40, 48, 58, 96 })
        {
            foreach (int to in new[] { 8, 24, 32, 48 })
            {
                foreach (int stride in new[] { 1, 2 }) Compare(from, to, 3, stride);
                Compare(from, to, 1, 1);
            }
        }

        Compare(3, 24, 3, 2);
        Compare(3, 64, 7, 2);
    }

    private static void Compare(int from, int to, int kernel, int stride)
    {
        using DisposeScope scope = NewDisposeScope();
        using var layer = new Convolution(from, to, kernel, stride);
        Tensor bias = layer.get_parameter("bias")!;
        using (no_grad()) bias.normal_();
        Tensor input = rand(4, from, 18, 24).requires_grad_(true);
        Tensor actual = layer.call(input);
        Tensor patches = nn.functional.unfold(input, kernel, 1, kernel / 2, stride);
        Tensor expected = layer.Weight.reshape(to, -1).matmul(patches).view(actual.shape) + bias.view(1, -1, 1, 1);
        Tensor gradient = rand(actual.shape);
        IList<Tensor> actualGradients = autograd.grad([actual], [input, layer.Weight], [gradient]);
        IList<Tensor> expectedGradients = autograd.grad([expected], [input, layer.Weight], [gradient]);

        string what = $"{from} to {to}, {kernel}×{kernel}, stride {stride}: ";
        Assert.That(Difference(actual, expected), Is.LessThan(Tolerance), what + "values");
        Assert.That(Difference(actualGradients[1], expectedGradients[1]), Is.LessThan(Tolerance), what + "gradient of the weights");
        if (from > 3) Assert.That(Difference(actualGradients[0], expectedGradients[0]), Is.LessThan(Tolerance), what
            + "gradient of the input");
    }

    private static float Difference(Tensor a, Tensor b) => ((a - b).abs().max() / b.abs().max()).item<float>();
}
