using Microsoft.ML.Distillation.Tensors;
using TorchSharp.Modules;
using static TorchSharp.torch;

namespace Microsoft.ML.Distillation.Tests.Tensors;

/// <summary>
/// The convolutions that networks are made of, against the same sums written as matrix products: libtorch's CPU kernels are not
/// right in every order in memory (see <see cref="ChannelsLast"/>).
/// </summary>
public class ConvolutionTests
{
    [Test]
    public void ChannelsLast_DenseAndDepthwise_AreTheSumsTheyShouldBe(
        [Values(3, 8, 20, 24, 58, 64)] int from, [Values(8, 20, 24, 64)] int to, [Values(1, 2)] int stride, [Values] bool depthwise)
    {
        if (depthwise) to = from;
        int groups = depthwise ? from : 1;
        using var scope = NewDisposeScope();
        random.manual_seed(1);
        Tensor weight = rand(to, from / groups, 3, 3).requires_grad_(true), image = rand(4, from, 9, 12).requires_grad_(true);
        Poison();
        Tensor actual = nn.functional.conv2d(ChannelsLast.Of(image), weight, null, [stride, stride], [1, 1], groups: groups);
        AssertSame(actual, image, weight, image =>
        {
            Tensor patches = nn.functional.unfold(image, 3, padding: 1, stride: stride);
            Tensor sums = depthwise
                ? patches.view(4, from, 9, -1).mul(weight.view(1, from, 9, 1)).sum(2)
                : weight.view(1, to, -1).expand(4, to, from * 9).bmm(patches);
            return sums.view(actual.shape);
        });
    }

    [Test]
    public void Pointwise_IsTheConvolution([Values(3, 24, 64)] int from, [Values(8, 40)] int to, [Values(1, 2)] int stride)
    {
        using var scope = NewDisposeScope();
        random.manual_seed(1);
        using Conv2d layer = nn.Conv2d(from, to, 1, stride);
        Tensor image = rand(2, from, 7, 9).requires_grad_(true);
        Tensor actual = Pointwise.Run(ChannelsLast.Of(image), layer.weight!, layer.bias, stride);
        AssertSame(actual, image, layer.weight!, image =>
        {
            Tensor pixels = nn.functional.unfold(image, 1, stride: stride);
            Tensor sums = layer.weight!.view(1, to, from).expand(2, to, from).bmm(pixels);
            return sums.Plus(layer.bias!.view(1, to, 1)).view(actual.shape);
        });
    }

    private static void AssertSame(Tensor actual, Tensor image, Tensor weight, Func<Tensor, Tensor> reference)
    {
        Tensor expected = reference(image);
        Tensor direction = rand(actual.shape);
        Tensor[] gradients = [.. autograd.grad([actual.mul(direction).sum()], [image, weight])];
        Tensor[] wanted = [.. autograd.grad([expected.mul(direction).sum()], [image, weight])];
        Assert.That(Distance(actual, expected), Is.LessThan(1e-4), "values");
        Assert.That(Distance(gradients[0], wanted[0]), Is.LessThan(1e-4), "gradient of the image");
        Assert.That(Distance(gradients[1], wanted[1]), Is.LessThan(1e-4), "gradient of the weights");
    }

    private static float Distance(Tensor actual, Tensor expected)
    {
        using var scope = NewDisposeScope();
        return (actual.detach() - expected.detach()).abs().max().item<float>() / expected.detach().abs().max().item<float>();
    }

    /// <summary>Leaves NaN in memory that the next operations get, so that reading what was never written shows.</summary>
    private static void Poison()
    {
        for (int size = 1000; size < 500_000; size *= 2) full(size, float.NaN).Dispose();
    }
}
