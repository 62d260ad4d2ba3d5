namespace Microsoft.ML.Distillation.Reports;

/// <summary>The mean difference of pairs of runs and its 95 % confidence interval, by Student's t.</summary>
/// <param name="Mean">The mean difference.</param>
/// <param name="Margin">Half of the interval; NaN with fewer than two pairs.</param>
/// <param name="Pairs">The number of pairs.</param>
internal sealed record PairedDifference(double Mean, double Margin, int Pairs)
{
    // The 97.5 % quantiles of Student's t for 1 to 30 degrees of freedom.
    private static readonly double[] Quantiles =
    [
        12.706, 4.303, 3.182, 2.776, 2.571, 2.447, 2.365, 2.306, 2.262, 2.228, 2.201, 2.179, 2.160, 2.145, 2.131,
        2.120, 2.110, 2.101, 2.093, 2.086, 2.080, 2.074, 2.069, 2.064, 2.060, 2.056, 2.052, 2.048, 2.045, 2.042,
    ];

    /// <summary>Whether the interval leaves no doubt about the sign.</summary>
    public bool IsSure => Math.Abs(Mean) > Margin;

    /// <summary>The difference of two models over the seeds that both have; of the single runs where there are none.</summary>
    public static PairedDifference Of(ReportedModel model, ReportedModel other, Func<SeedFigures, double> figure, Func<ReportedModel, double> single)
    {
        double[] differences = [.. from seed in model.Seeds
                                   join match in other.Seeds on seed.Seed equals match.Seed
                                   select figure(seed) - figure(match)];
        return differences.Length == 0 ? new PairedDifference(single(model) - single(other), double.NaN, 1) : Of(differences);
    }

    /// <summary>The mean of differences.</summary>
    public static PairedDifference Of(IReadOnlyList<double> differences)
    {
        double mean = differences.Average();
        if (differences.Count < 2) return new PairedDifference(mean, double.NaN, differences.Count);
        double variance = differences.Sum(value => (value - mean) * (value - mean)) / (differences.Count - 1);
        double quantile = differences.Count - 1 <= Quantiles.Length ? Quantiles[differences.Count - 2] : 1.96;
        return new PairedDifference(mean, quantile * Math.Sqrt(variance / differences.Count), differences.Count);
    }
}
