namespace Microsoft.ML.Distillation.Tests.Evaluation;

public class PairedDifferenceTests
{
    [Test]
    public void FiveSeedsOnBccd_ByHand()
    {
        // Differences 1.18 2.32 0.87 1.32 1.67: mean 1.472, sum of squares about it 1.22908, so a standard error of
        // sqrt(1.22908 / 4 / 5) = 0.247899; t for 4 degrees of freedom is 2.776.
        PairedDifference gain = PairedDifference.Of([39.74, 41.52, 42.01, 40.14, 40.01], [38.56, 39.20, 41.14, 38.82, 38.34]);
        Assert.That(gain.Mean, Is.EqualTo(1.472).Within(1e-9));
        Assert.That(gain.HalfWidth, Is.EqualTo(0.68817).Within(1e-4));
    }

    [Test]
    public void WhatChanceDoesToBothCancels()
    {
        PairedDifference gain = PairedDifference.Of([11, 25, 42], [10, 24, 41]);
        Assert.That((gain.Mean, gain.HalfWidth), Is.EqualTo((1.0, 0.0)));
    }

    [Test]
    public void OneSaysNothingOfTheSpread()
        => Assert.That(PairedDifference.Of([3], [1]), Is.EqualTo(new PairedDifference(1, 2, double.NaN)));

    [Test]
    public void TheQuantileBeyondTheTable_ContinuesIt()
    {
        double[] zeros = new double[41], steps = [.. Enumerable.Range(0, 41).Select(i => (double)(i % 2))];
        // 41 values, 20 of them 1: variance 20·21/41/40; the quantile for 40 degrees of freedom is 2.0211.
        double error = Math.Sqrt(20.0 * 21 / 41 / 40 / 41);
        Assert.That(PairedDifference.Of(steps, zeros).HalfWidth, Is.EqualTo(2.0211 * error).Within(0.003 * error));
    }

    [Test]
    public void UnequalNumbers_AreRefused() => Assert.That(() => PairedDifference.Of([1, 2], [1]), Throws.ArgumentException);
}
