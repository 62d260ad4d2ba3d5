using TorchSharp;
using static TorchSharp.torch;

namespace Microsoft.ML.Distillation.Tests.Losses;

/// <summary>PKD, CWD and MGD, the losses between feature maps.</summary>
public class FeatureLossTests
{
    private static readonly Dictionary<string, Func<int, int, nn.Module<Tensor, Tensor, Tensor>>> Kinds = new()
    {
        ["hint"] = (from, to) => new HintLoss(from, to),
        ["pkd"] = (from, to) => new PearsonFeatureLoss(from, to),
        ["cwd"] = (from, to) => new ChannelWiseLoss(from, to, 2),
        ["mgd"] = (from, to) => new MaskedGenerationLoss(from, to, 0.5),
    };

    private static IEnumerable<string> Names => Kinds.Keys;

    [Test]
    public void Pkd_IsOneMinusTheCorrelation()
    {
        using var scope = NewDisposeScope();
        using var loss = new PearsonFeatureLoss(2, 2);
        // Channel 0: 1 2 3 4 against 2 1 4 3, correlation 0.6; channel 1: opposite, correlation −1. Over both images.
        Tensor student = tensor(new[] { 1.0, 2, 0, 1, 3, 4, 2, 3 }, [2, 2, 1, 2]);
        Tensor teacher = tensor(new[] { 2.0, 1, 3, 2, 4, 3, 1, 0 }, [2, 2, 1, 2]);
        Assert.That(loss.call(student, teacher).ToDouble(), Is.EqualTo((0.4 + 2) / 2).Within(1e-5));
        Assert.That(loss.call(student, student).ToDouble(), Is.EqualTo(0).Within(1e-12));
    }

    [Test]
    public void Pkd_DoesNotCare_ForScaleAndShiftOfAChannel()
    {
        using var scope = NewDisposeScope();
        using var loss = new PearsonFeatureLoss(3, 3);
        Tensor student = randn(2, 3, 4, 5, float64), teacher = randn(2, 3, 4, 5, float64);
        Tensor scale = tensor(new[] { 3.0, 0.2, 40 }, [1, 3, 1, 1]), shift = tensor(new[] { -5.0, 100, 0.1 }, [1, 3, 1, 1]);
        double plain = loss.call(student, teacher).ToDouble();
        Assert.That(loss.call(student * scale + shift, teacher).ToDouble(), Is.EqualTo(plain).Within(1e-2 * plain));
        Assert.That(loss.call(student, teacher * scale + shift).ToDouble(), Is.EqualTo(plain).Within(1e-2 * plain));
        Assert.That(loss.call(student * -scale, teacher).ToDouble(), Is.Not.EqualTo(plain).Within(0.05));
    }

    [Test]
    public void Cwd_IsTheDivergence_OfWhereChannelsLook()
    {
        using var scope = NewDisposeScope();
        using var loss = new ChannelWiseLoss(1, 1, temperature: 2);
        Tensor student = tensor(new[] { 0.0, 0 }, [1, 1, 1, 2]), teacher = tensor(new[] { 0.0, 2 * Math.Log(3) }, [1, 1, 1, 2]);
        // At temperature 2: ½ ½ against ¼ ¾.
        double expected = 4 * (0.25 * Math.Log(0.5) + 0.75 * Math.Log(1.5));
        Assert.That(loss.call(student, teacher).ToDouble(), Is.EqualTo(expected).Within(1e-9));
        Assert.That(loss.call(student + 7, teacher - 3).ToDouble(), Is.EqualTo(expected).Within(1e-9), "a channel's level does not matter");
        Assert.That(loss.call(teacher, teacher).ToDouble(), Is.Zero.Within(1e-12));
        using var two = new ChannelWiseLoss(2, 2, temperature: 2);
        Assert.That(two.call(cat([student, student], 1).repeat(3, 1, 1, 1), cat([teacher, teacher], 1).repeat(3, 1, 1, 1)).ToDouble(),
            Is.EqualTo(expected).Within(1e-9), "the mean over images and channels");
    }

    [Test]
    public void Mgd_MakesTheTeachersMap_FromWhatTheMaskLeaves()
    {
        using var scope = NewDisposeScope();
        using var loss = new MaskedGenerationLoss(1, 1, masked: 0);
        Set("first", 1, 0);
        Set("second", 2, 0.5f);
        Tensor student = tensor(new[] { 1f, -2, 3, 0 }, [1, 1, 2, 2]);
        Tensor teacher = tensor(new[] { 5f, 5, 7, 7 }, [1, 1, 2, 2]);   // standardised −1 −1 1 1
        // Without a mask: 2·relu + ½ = 2.5 0.5 6.5 0.5.
        Assert.That(loss.call(student, teacher).ToSingle(), Is.EqualTo((12.25 + 2.25 + 30.25 + 0.25) / 4).Within(1e-4));

        using var masked = new MaskedGenerationLoss(1, 1, masked: 0.65);
        manual_seed(1);
        Tensor kept = rand(1, 1, 64, 64).ge(0.65);
        Assert.That(kept.to(float32).mean().ToSingle(), Is.EqualTo(0.35).Within(0.03));
        manual_seed(1);
        Tensor big = rand(1, 1, 64, 64), wanted = randn(1, 1, 64, 64);
        manual_seed(1);
        double one = masked.call(big, wanted).ToDouble();
        Tensor hidden = big.masked_fill(kept, 0);
        manual_seed(1);
        Assert.That(masked.call(big + 100 * big.masked_fill(kept, 0), wanted).ToDouble(), Is.EqualTo(one).Within(1e-3),
            "masked positions are not seen");
        Assert.That(hidden.sum().ToSingle(), Is.GreaterThan(0));

        void Set(string layer, float centre, float bias)
        {
            using IDisposable frozen = no_grad();
            Tensor weight = loss.get_parameter($"{layer}.weight")!;
            weight.zero_();
            weight[0, 0, 1, 1] = centre;
            loss.get_parameter($"{layer}.bias")!.fill_(bias);
        }
    }

    [TestCaseSource(nameof(Names))]
    public void Gradients_AgreeWithDifferences_AndSpareTheTeacher(string name)
    {
        using var scope = NewDisposeScope();
        manual_seed(2);
        using nn.Module<Tensor, Tensor, Tensor> loss = Kinds[name](2, 3);
        loss.to(float64);
        Tensor hint = randn(2, 3, 2, 3, float64);
        NumericalGradient.Check(
            guided =>
            {
                manual_seed(5);
                return loss.call(guided, hint);
            },
            randn(2, 2, 4, 3, float64), 1e-5);

        Tensor asked = hint.clone().requires_grad_();
        loss.call(randn(2, 2, 4, 3, float64), asked).backward();
        Assert.That(asked.grad is null || asked.grad.abs().sum().ToDouble() == 0);
    }

    [TestCaseSource(nameof(Names))]
    public void ConstantChannels_AndHalfPrecision_GiveNoNaN(string name)
    {
        using var scope = NewDisposeScope();
        using nn.Module<Tensor, Tensor, Tensor> loss = Kinds[name](3, 3);
        Tensor varied = randn(2, 3, 4, 4), constant = varied.clone();
        constant[TensorIndex.Colon, 1] = zeros(2, 4, 4) + 3;
        foreach ((Tensor student, Tensor teacher) in new[] { (constant, varied), (varied, constant), (constant, constant),
            (zeros(2, 3, 4, 4), varied) })
        {
            Tensor guided = student.clone().requires_grad_();
            Tensor value = loss.call(guided, teacher);
            value.backward();
            Assert.That(float.IsFinite(value.ToSingle()), name);
            Assert.That(guided.grad!.isfinite().all().ToBoolean(), name);
        }

    }

    /// <summary>Squares of 1000 and variances of 1e-5 leave the range of half precision.</summary>
    [Test]
    public void MapsInHalfPrecision_CostWhatTheyCostInSingle(
        [ValueSource(nameof(Names))] string name, [Values(ScalarType.Float16, ScalarType.BFloat16)] ScalarType half,
        [Values(0.003f, 1, 3000)] float size, [Values] bool constant)
    {
        using var scope = NewDisposeScope();
        manual_seed(4);
        using nn.Module<Tensor, Tensor, Tensor> loss = Kinds[name](3, 3);
        using Scalar scale = size;
        Tensor student = randn(2, 3, 4, 4).mul(scale).to_type(half), teacher = randn(2, 3, 4, 4).mul(scale).to_type(half);
        if (constant) teacher[TensorIndex.Colon, 1] = full([2, 4, 4], size, dtype: half);
        Tensor guided = student.clone().requires_grad_();

        Tensor value = Seeded(guided, teacher);
        value.backward();

        Assert.That(value.dtype, Is.EqualTo(ScalarType.Float32));
        Assert.That(value.ToSingle(), Is.EqualTo(Seeded(student.to(float32), teacher.to(float32)).ToSingle()).Within(1e-4).Percent);
        Assert.That(guided.grad!.to(float32).isfinite().all().ToBoolean());

        Tensor Seeded(Tensor own, Tensor hint)
        {
            manual_seed(5);
            return loss.call(own, hint);
        }
    }

    [Test]
    public void BareHint_InHalfPrecision_IsFinite([Values(ScalarType.Float16, ScalarType.BFloat16)] ScalarType half)
    {
        using var scope = NewDisposeScope();
        using var loss = new HintLoss(2, 2, adapts: false);
        Tensor constant = full([1, 2, 3, 3], 300, dtype: half);
        Assert.That(float.IsFinite(loss.call(constant, constant).ToSingle()));
        Assert.That(float.IsFinite(loss.call(constant + constant, randn(1, 2, 3, 3).to_type(half)).ToSingle()));
    }
}
