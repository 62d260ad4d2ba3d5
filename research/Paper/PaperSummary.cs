namespace Microsoft.ML.Distillation.Research;

/// <summary>Mean and spread of a figure over seeds, in per cent.</summary>
/// <param name="Mean">The mean.</param>
/// <param name="Deviation">The standard deviation between seeds; <see langword="null"/> for a single one.</param>
internal sealed record Spread(double Mean, double? Deviation)
{
    /// <summary>Of shares; <see langword="null"/> where there is none.</summary>
    public static Spread? Of(IEnumerable<double?> shares)
    {
        double[] values = [.. shares.OfType<double>().Select(share => 100 * share)];
        if (values.Length == 0) return null;
        double mean = values.Average();
        return new Spread(mean, values.Length == 1 ? null
            : Math.Sqrt(values.Sum(value => (value - mean) * (value - mean)) / (values.Length - 1)));
    }
}

/// <summary>A paired difference over the seeds that both rows have, in per cent.</summary>
/// <param name="Pairs">The number of seeds.</param>
/// <param name="Mean">The mean difference.</param>
/// <param name="HalfWidth">Half the 95 % confidence interval; <see langword="null"/> for a single pair.</param>
internal sealed record Gain(int Pairs, double Mean, double? HalfWidth)
{
    /// <summary>The difference of two rows in a figure; <see langword="null"/> where they have no seed in common.</summary>
    public static Gain? Of(IReadOnlyList<PaperResult> ours, IReadOnlyList<PaperResult> theirs, Func<PaperResult, double?> figure)
    {
        var pairs = ours.Join(theirs, our => our.Seed, their => their.Seed, (our, their) => (Our: figure(our), Their: figure(their)))
            .Where(pair => pair is { Our: not null, Their: not null }).ToArray();
        if (pairs.Length == 0) return null;
        PairedDifference difference = PairedDifference
            .Of([.. pairs.Select(pair => 100 * pair.Our!.Value)], [.. pairs.Select(pair => 100 * pair.Their!.Value)]);
        return new Gain(difference.Count, difference.Mean, double.IsNaN(difference.HalfWidth) ? null : difference.HalfWidth);
    }
}

/// <summary>A place of a table with its figures so far.</summary>
internal sealed record PaperSummary(
    string Row, string Line, string Column, string? Teacher, int Seeds, long Parameters, double Milliseconds, double? ReconstructionError,
    Spread? Ap50, Spread? Ap, Spread? TrainingAp50, Spread? TrainingAp, string? Against, Gain? GainAp50, Gain? GainAp, Published? Published)
{
    /// <summary>The model that was given in a row's name; <see langword="null"/> where none was, or none is measured.</summary>
    public static PaperSummary? OfGiven(string row, PaperResults results)
        => results.FindGiven(row) is not { } given ? null : new PaperSummary(
        $"{row} (given)", "", "", null, 1, given.Parameters, given.Milliseconds, null,
        Spread.Of([given.Test.Voc07]), Spread.Of([given.Test.Ap]), null, null, null, null, null, null);

    /// <summary>The summary of a cell; <see langword="null"/> where nothing is finished.</summary>
    public static PaperSummary? Of(PaperCell cell, PaperResults results)
    {
        IReadOnlyList<PaperResult> own = results.Of(cell.Row.Id);
        if (own.Count == 0) return null;
        IReadOnlyList<PaperResult> other = cell.Against is null ? [] : results.Of(cell.Against);
        double[] times = [.. own.Select(result => result.Milliseconds).Order()];
        return new PaperSummary(
            cell.Row.Id, cell.Line, cell.Column, cell.Row.Teacher, own.Count, own[0].Parameters, times[times.Length / 2],
            own[0].ReconstructionError,
            Spread.Of(own.Select(r => r.Test.Voc07)), Spread.Of(own.Select(r => r.Test.Ap)),
            Spread.Of(own.Select(r => r.Training?.Voc07)), Spread.Of(own.Select(r => r.Training?.Ap)),
            cell.Against, Gain.Of(own, other, r => r.Test.Voc07), Gain.Of(own, other, r => r.Test.Ap), cell.Published);
    }
}
