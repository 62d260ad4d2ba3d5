using Microsoft.ML.Distillation.Losses;
using TorchSharp;
using static TorchSharp.torch;

namespace Microsoft.ML.Distillation.Tests.Losses;

/// <summary>The losses of one-stage detectors: quality focal, distribution focal, generalised IoU.</summary>
public class DenseLossTests
{
    [Test]
    public void QualityFocal_WeighsEntropy_ByTheSquaredDistanceFromTheQuality()
    {
        using var scope = NewDisposeScope();
        // Scores 0.8 and 0.2; the first is to be 0.6, the second background.
        Tensor logits = tensor(new[] { Math.Log(4), -Math.Log(4) }, [1, 2]), qualities = tensor(new[] { 0.6, 0 }, [1, 2]);
        double expected = -(0.2 * 0.2 * (0.4 * Math.Log(0.2) + 0.6 * Math.Log(0.8)) + 0.2 * 0.2 * Math.Log(0.8));
        Assert.That(QualityFocalLoss.Loss(logits, qualities, 2).ToDouble(), Is.EqualTo(expected / 2).Within(1e-12));
    }

    [Test]
    public void QualityFocal_IsNothing_WhereScoresAreRight()
    {
        using var scope = NewDisposeScope();
        Tensor logits = randn(4, 3, float64);
        Assert.That(QualityFocalLoss.Loss(logits, logits.sigmoid(), 1).ToDouble(), Is.Zero);
        Assert.That(QualityFocalLoss.Loss(tensor(new[] { 800f, -800f }, [1, 2]), tensor(new[] { 0f, 1f }, [1, 2]), 1).ToSingle(),
            Is.EqualTo(1600).Within(1e-3));
    }

    [Test]
    public void DistributionFocal_AsksTheTwoNeighbours_ByTheirNearness()
    {
        using var scope = NewDisposeScope();
        // Four sides with the same distribution 0.1 0.2 0.3 0.4 over 0…3; distances 1.25, 0, 2.5 and one beyond the last bin.
        Tensor logits = tensor(new[] { 0.1, 0.2, 0.3, 0.4 }, [1, 1, 4]).log().expand(1, 4, 4);
        Tensor distances = tensor(new[] { 1.25, 0, 2.5, 9 }, [1, 4]);
        double expected = -(0.75 * Math.Log(0.2) + 0.25 * Math.Log(0.3) + Math.Log(0.1) + 0.5 * (Math.Log(0.3) + Math.Log(0.4))
            + 0.01 * Math.Log(0.3) + 0.99 * Math.Log(0.4)) / 4;
        Assert.That(DistributionFocalLoss.Loss(logits, distances, tensor(new[] { 0.5 }), 1).ToDouble(),
            Is.EqualTo(0.5 * expected).Within(1e-9));
        Assert.That(DistributionFocalLoss.Loss(logits, distances, tensor(new[] { 0.5 }), 0.5).ToDouble(),
            Is.EqualTo(expected).Within(1e-9));
    }

    [Test]
    public void GeneralizedIou_OfOverlapping_ApartAndEqualBoxes()
    {
        using var scope = NewDisposeScope();
        Tensor boxes = tensor(new[] { 0.0, 0, 2, 2, 0, 0, 1, 1, 3, 4, 7, 9 }, [3, 4]);
        Tensor targets = tensor(new[] { 1.0, 1, 3, 3, 2, 0, 3, 1, 3, 4, 7, 9 }, [3, 4]);
        double[] gaps = GeneralizedIouLoss.Gaps(boxes, targets).data<double>().ToArray();
        // Shared 1 of 7, in a square of 9; nothing shared of 2, in a rectangle of 3; the same box.
        Assert.That(gaps, Is.EqualTo(new[] { 1 - 1.0 / 7 + 2.0 / 9, 1 + 1.0 / 3, 0 }).AsCollection.Within(1e-6));
        Assert.That(GeneralizedIouLoss.Loss(boxes, targets, tensor(new[] { 0, 3.0, 1 }), 4).ToDouble(), Is.EqualTo(1).Within(1e-6));
        Assert.That(GeneralizedIouLoss.Gaps(zeros(1, 4), zeros(1, 4)).ToSingle(), Is.EqualTo(1), "boxes without area give no NaN");
    }

    [Test]
    public void Gradients_AgreeWithDifferences()
    {
        using var scope = NewDisposeScope();
        manual_seed(1);
        Tensor qualities = rand(3, 4, float64), distances = rand(3, 4, float64) * 4, weights = rand(3, float64);
        NumericalGradient.Check(logits => QualityFocalLoss.Loss(logits, qualities, 3), randn(3, 4, float64));
        NumericalGradient.Check(logits => DistributionFocalLoss.Loss(logits, distances, weights, 2), randn(3, 4, 5, float64));
        Tensor targets = tensor(new[] { 0.0, 0, 4, 3, 1, 1, 2, 2, 5, 5, 9, 6 }, [3, 4]);
        NumericalGradient.Check(boxes => GeneralizedIouLoss.Loss(boxes, targets, weights, 2),
            tensor(new[] { 1.0, 1, 6, 5, 4, 0, 5.5, 3, 6, 4, 7, 7 }, [3, 4]));
    }

    [Test]
    public void NoObjects_CostNothing_ButFalseScores()
    {
        using var scope = NewDisposeScope();
        Assert.That(DistributionFocalLoss.Loss(zeros(0, 4, 8), zeros(0, 4), zeros(0), 1).ToSingle(), Is.Zero);
        Assert.That(GeneralizedIouLoss.Loss(zeros(0, 4), zeros(0, 4), zeros(0), 1).ToSingle(), Is.Zero);
        Assert.That(QualityFocalLoss.Loss(zeros(1, 1), zeros(1, 1), 1).ToDouble(), Is.EqualTo(0.25 * Math.Log(2)).Within(1e-6));
    }
}
