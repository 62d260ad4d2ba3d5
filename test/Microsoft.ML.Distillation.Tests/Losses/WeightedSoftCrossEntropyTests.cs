using TorchSharp;
using static TorchSharp.torch;

namespace Microsoft.ML.Distillation.Tests.Losses;

public class WeightedSoftCrossEntropyTests
{
    [Test]
    public void SoftTargets_WeightBackground_InsideTheSum()
    {
        using var scope = NewDisposeScope();
        Tensor logits = tensor(new[] { 0.0, Math.Log(3), 0.0 }, [1, 3]);     // P_s = 0.2, 0.6, 0.2
        Tensor teacher = tensor(new[] { 0.5, 0.3, 0.2 }, [1, 3]);
        double expected = -(1.5 * 0.5 * Math.Log(0.2) + 0.3 * Math.Log(0.6) + 0.2 * Math.Log(0.2));
        Assert.That(WeightedSoftCrossEntropy.Loss(logits, teacher, 1.5).ToDouble(), Is.EqualTo(expected).Within(1e-12));
    }

    [Test]
    public void Loss_IsTheMean_OverBoxes()
    {
        using var scope = NewDisposeScope();
        Tensor logits = rand(6, 4, float64), teacher = rand(6, 4, float64).softmax(1);
        double mean = Enumerable.Range(0, 6)
            .Average(r => WeightedSoftCrossEntropy.Loss(logits.narrow(0, r, 1), teacher.narrow(0, r, 1), 1.5).ToDouble());
        Assert.That(WeightedSoftCrossEntropy.Loss(logits, teacher, 1.5).ToDouble(), Is.EqualTo(mean).Within(1e-12));
    }

    [Test]
    public void BinaryLoss_IsTheTwoClassLoss([Values(1.0, 2.5)] double temperature)
    {
        using var scope = NewDisposeScope();
        Tensor logits = randn(7, float64), teacher = rand(7, float64);
        Tensor bothLogits = stack([zeros_like(logits), logits], 1), both = stack([1 - teacher, teacher], 1);
        Assert.That(
            WeightedSoftCrossEntropy.BinaryLoss(logits, teacher, 1.5, temperature).ToDouble(),
            Is.EqualTo(WeightedSoftCrossEntropy.Loss(bothLogits, both, 1.5, temperature).ToDouble()).Within(1e-12));
    }

    [Test]
    public void Temperature_SoftensLogitsOfBothSides()
    {
        using var scope = NewDisposeScope();
        Tensor student = randn(5, 3, float64), teacher = randn(5, 3, float64);
        Tensor expected = -(teacher.div(2.0).softmax(1) * student.div(2.0).log_softmax(1)).sum(1).mean() * 4;
        Assert.That(
            WeightedSoftCrossEntropy.Loss(student, teacher.softmax(1), 1, 2).ToDouble(), Is.EqualTo(expected.ToDouble()).Within(1e-12));
    }

    [Test]
    public void Gradient_AgreesWithDifferences([Values(1.0, 2.0)] double temperature)
    {
        using var scope = NewDisposeScope();
        Tensor teacher = randn(3, 4, float64).softmax(1);
        NumericalGradient.Check(logits => WeightedSoftCrossEntropy.Loss(logits, teacher, 1.5, temperature), randn(3, 4, float64));
        Tensor objectness = rand(4, float64);
        NumericalGradient.Check(logits => WeightedSoftCrossEntropy.BinaryLoss(logits, objectness, 1.5, temperature), randn(4, float64));
    }

    [Test]
    public void ExtremeLogits_StayFinite()
    {
        using var scope = NewDisposeScope();
        Tensor logits = tensor(new[] { 1000f, -1000f, 0f }, [1, 3]), teacher = tensor(new[] { 0f, 1f, 0f }, [1, 3]);
        Assert.That(WeightedSoftCrossEntropy.Loss(logits, teacher, 1.5).ToSingle(), Is.EqualTo(2000));
        Tensor objectness = tensor(new[] { 0f, 1f });
        Assert.That(
            WeightedSoftCrossEntropy.BinaryLoss(tensor(new[] { 1000f, -1000f }), objectness, 1.5).ToSingle(),
            Is.EqualTo(1250).Within(1e-3));
    }

    [Test]
    public void NoBoxes_CostNothing()
    {
        using var scope = NewDisposeScope();
        Assert.That(WeightedSoftCrossEntropy.Loss(zeros(0, 3), zeros(0, 3), 1.5).ToSingle(), Is.Zero);
        Assert.That(WeightedSoftCrossEntropy.BinaryLoss(zeros(0), zeros(0), 1.5).ToSingle(), Is.Zero);
    }
}
