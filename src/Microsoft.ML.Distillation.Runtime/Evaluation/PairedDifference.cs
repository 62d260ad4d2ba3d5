namespace Microsoft.ML.Distillation;

/// <summary>
/// The difference between two ways of training, over runs in pairs: the two of a pair have the same seed, so that what chance does to
/// both cancels out.
/// </summary>
/// <param name="Count">The number of pairs.</param>
/// <param name="Mean">The mean of the differences.</param>
/// <param name="HalfWidth">
/// Half the width of the mean's 95 % confidence interval by Student's t; not a number for a single pair, of which nothing can be said.
/// </param>
public readonly record struct PairedDifference(int Count, double Mean, double HalfWidth)
{
    /// <summary>Two-sided 95 % quantiles of Student's t for 1, 2, … degrees of freedom.</summary>
    private static readonly double[] Quantiles =
    [
        12.706, 4.303, 3.182, 2.776, 2.571, 2.447, 2.365, 2.306, 2.262, 2.228, 2.201, 2.179, 2.160, 2.145, 2.131,
        2.120, 2.110, 2.101, 2.093, 2.086, 2.080, 2.074, 2.069, 2.064, 2.060, 2.056, 2.052, 2.048, 2.045, 2.042,
    ];

    /// <summary>Whether the interval leaves no doubt about the sign.</summary>
    public bool IsSure => Math.Abs(Mean) > HalfWidth;

    /// <summary>Compares two ways, pair by pair.</summary>
    /// <param name="ours">A figure of each run of one way.</param>
    /// <param name="theirs">The same figure of the other way's runs, in the same order; it is what is subtracted.</param>
    /// <exception cref="ArgumentException">The two lists are of different lengths or empty.</exception>
    public static PairedDifference Of(IReadOnlyList<double> ours, IReadOnlyList<double> theirs)
    {
        ArgumentNullException.ThrowIfNull(ours);
        ArgumentNullException.ThrowIfNull(theirs);
        if (ours.Count != theirs.Count || ours.Count == 0)
            throw new ArgumentException($"Pairs are wanted, not {ours.Count} runs and {theirs.Count}.", nameof(ours));
        double[] differences = [.. ours.Zip(theirs, (our, their) => our - their)];
        double mean = differences.Average();
        if (differences.Length == 1) return new PairedDifference(1, mean, double.NaN);
        int freedom = differences.Length - 1;
        double error = Math.Sqrt(differences.Sum(difference => (difference - mean) * (difference - mean)) / freedom / differences.Length);
        return new PairedDifference(differences.Length, mean, Quantile(freedom) * error);
    }

    /// <summary>The quantile; beyond the table by the first term of its expansion in 1 / degrees of freedom, right to 0.002.</summary>
    private static double Quantile(int freedom)
        => freedom <= Quantiles.Length ? Quantiles[freedom - 1] : 1.95996 + (2.37227 / freedom);
}
