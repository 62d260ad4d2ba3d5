using Microsoft.ML.Distillation.Compression;
using Microsoft.ML.Distillation.Detectors.Quantization;
using static TorchSharp.torch;

namespace Microsoft.ML.Distillation.Tests.Compression;

public class ActivationQuantizerTests
{
    [Test]
    public void Grid_CoversTheRange_AndHoldsZeroExactly()
    {
        Assert.That(Grid(0, 5.1f), Is.EqualTo((0.02f, 0f)));
        Assert.That(Grid(-1, 1.55f), Is.EqualTo((0.01f, 100f)));
        Assert.That(Grid(2, 5.1f), Is.EqualTo((0.02f, 0f)), "a range always reaches to 0");
        Assert.That(Grid(0, 0).Scale, Is.GreaterThan(0), "nothing was seen yet");
        Assert.That(Grid(0, 5.1f, QuantizerKind.Wrpn), Is.EqualTo((1f / 255, 0f)), "WRPN's is 0 to 1 whatever was seen");
        Assert.That(Grid(-3, 5.1f, QuantizerKind.Wrpn), Is.EqualTo((2f / 255, 127f)));

        static (float Scale, float Zero) Grid(float low, float high, QuantizerKind kind = QuantizerKind.PerChannel)
        {
            using var scope = NewDisposeScope();
            (Tensor step, Tensor zero) = ActivationQuantizer.Grid(tensor([low, high]), kind);
            return (step.item<float>(), zero.item<float>());
        }
    }

    [Test]
    public void Values_AreRoundedAndLimited()
    {
        // Steps of 0.02 from 0 to 5.1; 0.03 is a tie of 1 and 2, which goes to 2.
        Assert.That(Round([0.047f, 0.03f, -0.4f, 9, 2.5f], 0, 5.1f), Is.EqualTo(new[] { 0.04f, 0.04f, 0, 5.1f, 2.5f }).Within(1e-6));
        Assert.That(Round([-0.996f, -2, 0.004f, 1.554f], -1, 1.55f), Is.EqualTo(new[] { -1, -1, 0, 1.55f }).Within(1e-6));
        Assert.That(Round([0.501f, 2, -1], 0, 9, QuantizerKind.Wrpn), Is.EqualTo(new[] { 128f / 255, 1, 0 }).Within(1e-6),
            "round(255 · 0.501) = 128");

        static float[] Round(float[] values, float low, float high, QuantizerKind kind = QuantizerKind.PerChannel)
        {
            using var scope = NewDisposeScope();
            return ActivationQuantizer.Round(tensor(values), tensor([low, high]), kind).data<float>().ToArray();
        }
    }

    [Test]
    public void Gradients_PassWithinTheRange_AndStopOutside()
    {
        using var scope = NewDisposeScope();
        Tensor input = tensor([0.047f, -0.4f, 9, 2.5f]).requires_grad_();
        ActivationQuantizer.Round(input, tensor([0, 5.1f]), QuantizerKind.PerChannel).mul(tensor([2f, 3, 4, 5])).sum().backward();
        Assert.That(input.grad!.data<float>().ToArray(), Is.EqualTo(new float[] { 2, 0, 0, 5 }));
    }

    [Test]
    public void Range_FollowsTraining_GrowsInCalibration_AndRestsInEvaluation()
    {
        using var scope = NewDisposeScope();
        using var quantizer = new LayerQuantizer(LowPrecision.W8A8);
        quantizer.train();
        Show(-1, 4);
        Assert.That(Range(), Is.EqualTo(new float[] { -1, 4 }), "the first batch is taken as it is");
        Show(-3, 4);
        Assert.That(Range(), Is.EqualTo(new[] { -1.1f, 4 }).Within(1e-6), "later ones by a twentieth: −1 + (−3 + 1) / 20");
        quantizer.eval();
        Show(-9, 9);
        Assert.That(Range(), Is.EqualTo(new[] { -1.1f, 4 }).Within(1e-6));
        quantizer.Calibrating = true;
        Show(-9, 2);
        Assert.That(Range(), Is.EqualTo(new[] { -9f, 4 }).Within(1e-6));

        void Show(float low, float high) => quantizer.Run(tensor([low, 0, high]), ones(1, 3), (x, _) => x.alias());

        float[] Range() => quantizer.Range.data<float>().ToArray();
    }
}
