using TorchSharp;
using static TorchSharp.torch;

namespace Microsoft.ML.Distillation.Tests.Losses;

public class HintLossTests
{
    [Test]
    public void Hint_IsStandardised_PerChannel()
    {
        using var scope = NewDisposeScope();
        Tensor map = randn(3, 5, 6, 7) * arange(1, 6, float32).view(1, 5, 1, 1) + 4;
        Tensor standard = HintLoss.Standardise(map);
        Assert.That(standard.mean([0, 2, 3]).abs().max().ToSingle(), Is.LessThan(1e-5));
        Assert.That((standard.pow(2).mean([0, 2, 3]) - 1).abs().max().ToSingle(), Is.LessThan(1e-4));
    }

    [Test]
    public void DeadChannels_StayQuiet()
    {
        using var scope = NewDisposeScope();
        Tensor map = randn(2, 4, 5, 5);
        map[TensorIndex.Colon, 2] = map[TensorIndex.Colon, 2] * 1e-6f + 3;
        Assert.That(HintLoss.Standardise(map)[TensorIndex.Colon, 2].abs().max().ToSingle(), Is.LessThan(1e-3));
        Assert.That(HintLoss.Standardise(zeros(1, 2, 3, 3)).abs().max().ToSingle(), Is.Zero);
    }

    [Test]
    public void PredictingNothing_CostsOne_AtAnySizeAndScale([Values(1, 16)] int channels, [Values(4, 12)] int size,
        [Values(0.01f, 100f)] float scale)
    {
        using var scope = NewDisposeScope();
        using var loss = new HintLoss(3, channels);
        using (no_grad())
        {
            foreach (Tensor parameter in loss.parameters()) parameter.zero_();
        }

        Assert.That(loss.call(rand(2, 3, size, size), randn(2, channels, size, size) * scale).ToSingle(), Is.EqualTo(1).Within(1e-3));
    }

    [Test]
    public void Loss_IsTheMeanSquare_AfterTheAdaptationLayer()
    {
        using var scope = NewDisposeScope();
        using var loss = new HintLoss(1, 2);
        using (no_grad())
        {
            loss.get_parameter("maps.adaptation.weight")!.copy_(tensor(new[] { 2f, -1f }, [2, 1, 1, 1]));
            loss.get_parameter("maps.adaptation.bias")!.copy_(tensor(new[] { 0f, 1f }));
        }

        Tensor guided = tensor(new[] { 1f, 2f }, [1, 1, 1, 2]);       // adapted: 2 4 and 0 −1
        Tensor hint = tensor(new[] { 5f, 7f, 3f, 1f }, [1, 2, 1, 2]); // standardised: −1 1 and 1 −1
        Assert.That(loss.call(guided, hint).ToSingle(), Is.EqualTo((9 + 9 + 1 + 0) / 4f).Within(1e-5));
    }

    [Test]
    public void BareHint_ComparesTheMapsAsTheyAre_InUnitsOfTheHintsSpread([Values] bool absolute)
    {
        using var scope = NewDisposeScope();
        using var loss = new HintLoss(2, 2, adapts: false, absolute);
        Assert.That(loss.parameters(), Is.Empty);
        Tensor guided = tensor(new[] { 1f, 3f, 0f, 0f }, [1, 2, 1, 2]);
        Tensor hint = tensor(new[] { 5f, 7f, 3f, 1f }, [1, 2, 1, 2]); // variance 1 in both channels
        Assert.That(loss.call(guided, hint).ToSingle(), Is.EqualTo(absolute ? (4 + 4 + 3 + 1) / 4f : (16 + 16 + 9 + 1) / 4f).Within(1e-5));
        Tensor means = tensor(new[] { 6f, 6f, 2f, 2f }, [1, 2, 1, 2]);
        Assert.That(loss.call(means, hint).ToSingle(), Is.EqualTo(1).Within(1e-5), "predicting each channel's mean costs 1");
        Assert.That(loss.call(means.mul(tensor(50f)), hint.mul(tensor(50f))).ToSingle(), Is.EqualTo(1).Within(1e-4), "at any scale");
        NumericalGradient.Check(own => loss.call(own, hint.to(float64)), randn(1, 2, 1, 2, float64));
    }

    [Test]
    public void BareHint_AveragesTheWiderMapInGroups()
    {
        using var scope = NewDisposeScope();
        using var loss = new HintLoss(2, 4, adapts: false);
        Tensor hint = tensor(new[] { 1f, 2f, 3f, 4f, 7f, 3f, 9f, 1f }, [1, 4, 1, 2]); // groups: 2 3 and 8 2, of variance .25 and 9
        Tensor guided = tensor(new[] { 2f, 5f, 8f, 0f }, [1, 2, 1, 2]);
        Assert.That(loss.call(guided, hint).ToSingle(), Is.EqualTo((4 + 4) / 4f / ((.25f + 9) / 2)).Within(1e-5));
        using var other = new HintLoss(4, 2, adapts: false);
        Assert.That(other.call(hint, guided).ToSingle(), Is.EqualTo((4 + 4) / 4f / ((2.25f + 16) / 2)).Within(1e-5));
    }

    [Test]
    public void UnequalSizes_MeetAtTheTeachers()
    {
        using var scope = NewDisposeScope();
        using var loss = new HintLoss(2, 3);
        // Finer in height, coarser in width.
        Tensor guided = rand(1, 2, 10, 4), hint = rand(1, 3, 5, 8);
        Tensor met = loss.call(guided, hint);
        Tensor means = (guided.slice(2, 0, 10, 2) + guided.slice(2, 1, 10, 2)) / 2;
        Tensor enlarged = nn.functional.interpolate(means, [5, 8], mode: InterpolationMode.Bilinear, align_corners: false);
        Assert.That(met.ToSingle(), Is.EqualTo(loss.call(enlarged, hint).ToSingle()).Within(1e-6));
    }

    [Test]
    public void Gradient_AgreesWithDifferences_AndSparesTheTeacher()
    {
        using var scope = NewDisposeScope();
        using var loss = new HintLoss(2, 3);
        loss.to(float64);
        Tensor hint = randn(1, 3, 2, 3, float64);
        NumericalGradient.Check(guided => loss.call(guided, hint), randn(1, 2, 4, 3, float64));

        Tensor asked = hint.clone().requires_grad_();
        loss.call(randn(1, 2, 2, 3, float64), asked).backward();
        Assert.That(asked.grad is null || asked.grad.abs().sum().ToDouble() == 0);
    }
}
