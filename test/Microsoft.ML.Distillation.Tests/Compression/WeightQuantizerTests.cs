using Microsoft.ML.Distillation.Compression;
using static TorchSharp.torch;

namespace Microsoft.ML.Distillation.Tests.Compression;

public class WeightQuantizerTests
{
    private static readonly LowPrecision Wrpn4 = new(4) { Quantizer = QuantizerKind.Wrpn };

    [Test]
    public void PerChannel_DividesTheLargestMagnitude()
    {
        // Channel 0: 7 steps of 0.1; channel 1: 7 steps of 0.02; 0.05 / 0.1 is a tie, which goes to the even number.
        (float[] integers, float[] scale) = Of(new LowPrecision(4), [[0.7f, -0.31f, 0.05f], [-0.14f, 0.02f, 0.031f]]);
        Assert.That(integers, Is.EqualTo(new float[] { 7, -3, 0, -7, 1, 2 }));
        Assert.That(scale, Is.EqualTo(new[] { 0.1f, 0.02f }).Within(1e-7));
        (integers, scale) = Of(new LowPrecision(8), [[1.27f, -0.634f, 0.0149f]]);
        Assert.That(integers, Is.EqualTo(new float[] { 127, -63, 1 }));
        Assert.That(scale[0], Is.EqualTo(0.01f).Within(1e-7));
    }

    [Test]
    public void Wrpn_HasTheSameStepsForAllWeights_AndLimitsThem()
    {
        // n = 7: steps of 1/7 = 0.142857.
        (float[] integers, float[] scale) = Of(Wrpn4, [[0.5f, -1.8f, 0.07f], [0.08f, 1, -0.3f]]);
        Assert.That(integers, Is.EqualTo(new float[] { 4, -7, 0, 1, 7, -2 }));
        Assert.That(scale, Is.All.EqualTo(1f / 7));
    }

    [Test]
    public void Ternary_KeepsWhatIsLarge_AtItsMean()
    {
        // Channel 0: mean 0.4, threshold 0.28, so 0.9 and −0.5 stay, at 0.7. Channel 1: mean 0.2, threshold 0.14.
        (float[] integers, float[] scale) = Of(LowPrecision.W2, [[0.9f, -0.5f, 0.1f, 0.1f], [0.2f, 0.2f, -0.2f, 0.2f]]);
        Assert.That(integers, Is.EqualTo(new float[] { 1, -1, 0, 0, 1, 1, -1, 1 }));
        Assert.That(scale, Is.EqualTo(new[] { 0.7f, 0.2f }).Within(1e-6));
    }

    [Test]
    public void AChannelOfZeros_StaysZero([Values("w8", "w4", "w2")] string name)
    {
        (float[] integers, float[] scale) = Of(LowPrecision.Parse(name), [[0, 0], [1, -1]]);
        Assert.That(integers[..2], Is.All.Zero);
        Assert.That(scale, Is.All.GreaterThan(0f));
    }

    [Test]
    public void Rounding_IsItsOwnFixpoint([Values("w8", "w4", "w2")] string name, [Values] QuantizerKind kind)
    {
        LowPrecision precision = LowPrecision.Parse(name) with { Quantizer = kind };
        using var scope = NewDisposeScope();
        manual_seed(1);
        Tensor weight = randn(16, 3, 3, 3).mul(0.3f);
        QuantizedWeights once = WeightQuantizer.Of(weight, precision), twice = WeightQuantizer.Of(once.Values, precision);
        Assert.That(twice.Integers.data<float>().ToArray(), Is.EqualTo(once.Integers.data<float>().ToArray()));
        Assert.That(twice.Scale.data<float>().ToArray(), Is.EqualTo(once.Scale.data<float>().ToArray()).Within(1e-6));
    }

    [Test]
    public void Gradients_PassThrough_AndWrpnsStopOutsideTheLimits()
    {
        // L = Σ g ŵ: the gradient of w is g, but for WRPN 0 where |w| > 1.
        Assert.That(Gradient(new LowPrecision(4)), Is.EqualTo(new float[] { 3, -2, 5 }));
        Assert.That(Gradient(LowPrecision.W2), Is.EqualTo(new float[] { 3, -2, 5 }));
        Assert.That(Gradient(Wrpn4), Is.EqualTo(new float[] { 3, 0, 5 }));

        static float[] Gradient(LowPrecision precision)
        {
            using var scope = NewDisposeScope();
            Tensor weight = tensor([0.5f, -1.8f, 0.07f], [1, 3]).requires_grad_();
            WeightQuantizer.Round(weight, precision).mul(tensor([3f, -2f, 5f], [1, 3])).sum().backward();
            return weight.grad!.data<float>().ToArray();
        }
    }

    [Test]
    public void ValuesInTraining_AreThoseOfEvaluation_BitByBit()
    {
        using var scope = NewDisposeScope();
        Tensor weight = randn(4, 9).requires_grad_();
        float[] training = WeightQuantizer.Round(weight, LowPrecision.W4A8).detach().data<float>().ToArray();
        using (no_grad()) Assert.That(WeightQuantizer.Round(weight, LowPrecision.W4A8).data<float>().ToArray(), Is.EqualTo(training));
    }

    private static (float[] Integers, float[] Scale) Of(LowPrecision precision, float[][] rows)
    {
        using var scope = NewDisposeScope();
        QuantizedWeights weights = WeightQuantizer.Of(tensor([.. rows.SelectMany(row => row)], [rows.Length, rows[0].Length]), precision);
        return (weights.Integers.data<float>().ToArray(), weights.Scale.data<float>().ToArray());
    }
}
