using Microsoft.ML.Distillation.Losses;
using TorchSharp;
using static TorchSharp.torch;

namespace Microsoft.ML.Distillation.Tests.Losses;

public class RegressionLossTests
{
    [Test]
    public void SmoothL1_TurnsLinear_AtOneNinth()
    {
        using var scope = NewDisposeScope();
        Tensor deltas = tensor(new[] { 0.1, 0.5, 0.0, -1.0 }, [1, 4]);
        double expected = 0.01 / 2 * 9 + (0.5 - 1.0 / 18) + (1 - 1.0 / 18);
        Assert.That(BoxRegression.SmoothL1(deltas, zeros_like(deltas), 8).ToDouble(), Is.EqualTo(expected / 8).Within(1e-12));
    }

    [Test]
    public void Squared_SumsDeltas_OverTheMiniBatch()
    {
        using var scope = NewDisposeScope();
        Tensor deltas = tensor(new[] { 1.0, 2, 0, -1 }, [1, 4]);
        Assert.That(BoxRegression.Squared(deltas, zeros_like(deltas), 8, scale: 3).ToDouble(), Is.EqualTo(9 * 6.0 / 8).Within(1e-12));
    }

    [Test]
    public void Bound_SwitchesPerBox()
    {
        using var scope = NewDisposeScope();
        Tensor truth = zeros([2, 4], float64);
        Tensor student = tensor(new[] { 0.3, 0, 0, 0.4, 1.0, 0, 0, 0 }, [2, 4]);      // errors 0.25 and 1
        Tensor teacher = tensor(new[] { 0.6, 0, 0, 0.0, 0.9, 0, 0, 0 }, [2, 4]);      // errors 0.36 and 0.81

        // The first box beats the teacher's and is left in peace; the second does not. On the batch's mean (0.625 against 0.585)
        // both would have been asked to move.
        Assert.That(Loss(), Is.EqualTo(1.0 / 4).Within(1e-12));

        // A margin of 0.2 asks more: 0.25 + 0.2 is above 0.36.
        Assert.That(Loss(margin: 0.2), Is.EqualTo(1.25 / 4).Within(1e-12));
        Assert.That(Loss(margin: -0.2), Is.Zero);

        // Scaled deltas have squares 9 times as large, and the margin counts in those.
        Assert.That(Loss(margin: 0.2, scale: 3), Is.EqualTo(9.0 / 4).Within(1e-12));
        Assert.That(Loss(margin: 1.8, scale: 3), Is.EqualTo(9 * 1.25 / 4).Within(1e-12));

        double Loss(double margin = 0, double scale = 1) =>
            TeacherBoundedRegression.Loss(student, teacher, truth, 4, margin, scale).ToDouble();
    }

    [Test]
    public void Bound_DoesNotAsk_WhereTheTeacherHasNoOpinion()
    {
        using var scope = NewDisposeScope();
        Tensor student = ones([3, 4], float64), truth = zeros([3, 4], float64);
        Tensor teacher = zeros([3, 4], float64);
        teacher[1] = full([4], double.PositiveInfinity, float64);
        teacher[2] = full([4], double.NaN, float64);
        Assert.That(TeacherBoundedRegression.Loss(student, teacher, truth, 1).ToDouble(), Is.EqualTo(4));
    }

    [Test]
    public void BoundOnOverlap_SwitchesPerBox()
    {
        using var scope = NewDisposeScope();
        Tensor truth = tensor(new[] { 0.0, 0, 10, 10, 0, 0, 10, 10 }, [2, 4]);
        Tensor student = tensor(new[] { 0.0, 0, 10, 8, 0, 0, 10, 5 }, [2, 4]);        // inside: IoU and GIoU are 0.8 and 0.5
        Tensor teacher = tensor(new[] { 0.0, 0, 7, 10, 0, 0, 10, 9 }, [2, 4]);        // 0.7 and 0.9
        Tensor weights = tensor(new[] { 0.25, 0.75 });
        Assert.That(Loss(), Is.EqualTo(0.75 * 0.5 / 2).Within(1e-12), "the first box beats the teacher's");
        Assert.That(Loss(margin: 0.15), Is.EqualTo((0.75 * 0.5 + 0.25 * 0.2) / 2).Within(1e-12));
        Assert.That(Loss(margin: -0.45), Is.Zero);

        teacher[1] = full([4], double.PositiveInfinity, float64);
        Assert.That(Loss(margin: 1e9), Is.EqualTo(0.25 * 0.2 / 2).Within(1e-12), "no opinion, no bound");

        double Loss(double margin = 0) => TeacherBoundedRegression.OverlapLoss(student, teacher, truth, weights, 2, margin).ToDouble();
    }

    [Test]
    public void Gradients_AgreeWithDifferences()
    {
        using var scope = NewDisposeScope();
        Tensor student = randn(5, 4, float64), teacher = randn(5, 4, float64), truth = randn(5, 4, float64);
        NumericalGradient.Check(deltas => BoxRegression.SmoothL1(deltas, truth, 7), student);
        NumericalGradient.Check(deltas => BoxRegression.Squared(deltas, truth, 7, 3), student);
        NumericalGradient.Check(deltas => TeacherBoundedRegression.Loss(deltas, teacher, truth, 7, 0.01, 3), student);
        Tensor boxes = tensor(new[] { 0.0, 1, 9, 8, 3, 2, 14, 9 }, [2, 4]),
        objects = tensor(new[] { 1.0, 0, 10, 10, 2, 1, 11, 12 }, [2, 4]);
        NumericalGradient.Check(moved => TeacherBoundedRegression.OverlapLoss(moved, objects + 0.1, objects, ones(2, float64), 2), boxes);
    }

    [Test]
    public void NoPositives_CostNothing()
    {
        using var scope = NewDisposeScope();
        Tensor none = zeros(0, 4);
        Assert.That(BoxRegression.SmoothL1(none, none, 16).ToSingle(), Is.Zero);
        Assert.That(BoxRegression.Squared(none, none, 16).ToSingle(), Is.Zero);
        Assert.That(TeacherBoundedRegression.Loss(none, none, none, 16).ToSingle(), Is.Zero);
        Assert.That(TeacherBoundedRegression.OverlapLoss(none, none, none, zeros(0), 1).ToSingle(), Is.Zero);
    }
}
