using Microsoft.ML.Distillation.Compression;
using Microsoft.ML.Distillation.Detectors.Boxes;
using TorchSharp;
using static TorchSharp.torch;

namespace Microsoft.ML.Distillation.Tests.Compression;

public class LayerFactorsTests
{
    [TestCase(new long[] { 6, 4, 3, 3 }, new[] { 4, 6 })]
    [TestCase(new long[] { 4, 9, 5, 5 }, new[] { 9, 4 })]
    [TestCase(new long[] { 6, 4, 1, 1 }, new[] { 4 })]
    [TestCase(new long[] { 4, 6 }, new[] { 4 })]
    [TestCase(new long[] { 6, 4 }, new[] { 4 })]
    public void FullRanks_LoseNothing(long[] shape, int[] ranks)
    {
        using DisposeScope scope = NewDisposeScope();
        Tensor weight = DeterministicValues.Values(1, shape);
        LayerFactors factors = LayerFactors.Of(weight, ranks);
        Assert.That(TensorArrays.Floats(Product(factors)), Is.EqualTo(TensorArrays.Floats(weight.reshape(shape[0], shape[1], -1)))
            .Within(1e-5));
        Assert.That(factors.Error, Is.LessThan(1e-6));
    }

    [TestCase(new long[] { 8, 6, 3, 3 }, new[] { 3, 5 })]
    [TestCase(new long[] { 8, 6, 1, 1 }, new[] { 3 })]
    [TestCase(new long[] { 6, 9 }, new[] { 2 })]
    public void Error_IsWhatIsLost(long[] shape, int[] ranks)
    {
        using DisposeScope scope = NewDisposeScope();
        Tensor weight = DeterministicValues.Values(1, shape);
        LayerFactors factors = LayerFactors.Of(weight, ranks);
        Tensor whole = weight.reshape(shape[0], shape[1], -1);
        double lost = ((whole - Product(factors)).norm() / whole.norm()).item<float>();
        Assert.That(factors.Error, Is.EqualTo(lost).Within(1e-5).And.GreaterThan(0.1));
        Assert.That(factors.Reduce.shape[0], Is.EqualTo(ranks[0]));
        Assert.That(factors.Expand.shape[1], Is.EqualTo(ranks[^1]));
    }

    [Test]
    public void ConvolutionOfLowRank_IsFoundExactly()
    {
        using DisposeScope scope = NewDisposeScope();
        Tensor core = DeterministicValues.Values(1, 3, 2, 3, 3), seen = DeterministicValues.Values(2, 2, 7),
        made = DeterministicValues.Values(3, 9, 3);
        LayerFactors factors = LayerFactors.Of(Compose(core, seen, made), [2, 3]);
        Assert.That(factors.Error, Is.LessThan(1e-3), "to the precision of the weights");
    }

    [Test]
    public void Matrix_LosesTheSmallestSingularValues()
    {
        using DisposeScope scope = NewDisposeScope();
        Tensor weight = DeterministicValues.Values(4, 12, 20);
        Tensor values = linalg.svdvals(weight.to(ScalarType.Float64)).square();
        double best = Math.Sqrt((values.narrow(0, 5, 7).sum() / values.sum()).item<double>());
        Assert.That(LayerFactors.Of(weight, [5]).Error, Is.EqualTo(best).Within(1e-6));
    }

    [Test]
    public void LargeMatrix_IsTakenApart_NearlyAsWellAsPossible()
    {
        using DisposeScope scope = NewDisposeScope();
        Tensor signal = DeterministicValues.Values(1, 1100, 20).mm(DeterministicValues.Values(2, 20, 1200));
        Tensor noise = DeterministicValues.Values(3, 1100, 1200) * 0.05;
        double share = (noise.norm() / (signal + noise).norm()).item<float>();
        LayerFactors first = LayerFactors.Of(signal + noise, [20]), second = LayerFactors.Of(signal + noise, [20]);
        Assert.That(first.Error, Is.EqualTo(share).Within(0.02 * share));
        Assert.That(TensorArrays.Floats(second.Expand), Is.EqualTo(TensorArrays.Floats(first.Expand)), "repeats");
    }

    /// <summary>Expand · Core · Reduce as [To,From,k·k].</summary>
    private static Tensor Product(LayerFactors factors)
    {
        Tensor reduce = factors.Reduce.flatten(1), expand = factors.Expand.flatten(1);
        return factors.Core is null ? expand.mm(reduce).unsqueeze(2) : einsum("os,srt,ri->oit", expand, factors.Core.flatten(2), reduce);
    }

    private static Tensor Compose(Tensor core, Tensor seen, Tensor made)
        => einsum("os,srt,ri->oit", made, core.flatten(2), seen).reshape(made.shape[0], seen.shape[1], 3, 3);
}
