namespace Microsoft.ML.Distillation.Tool.Display;

/// <summary>The figures of runs that differ in their seed alone, as one model's: what a report shows of them are means over the
/// runs.</summary>
internal static class SeedMeans
{
    /// <summary>
    /// The means of COCO's figures and curves, of the classes' figures, and of the errors' numbers and costs. Runs that lack a figure, as
    /// they never reported its class, count for nothing in it. The confusion matrix and the figures that no report shows are the first
    /// run's.
    /// </summary>
    /// <param name="runs">One run or more, measured on the same images.</param>
    public static DetectionMetrics Of(IReadOnlyList<DetectionMetrics> runs) => runs.Count == 1 ? runs[0] : runs[0] with
    {
        Coco = Coco([.. runs.Select(run => run.Coco)]),
        Errors = Errors([.. runs.Select(run => run.Errors)]),
        Classes = ByName(runs, run => run.Classes, c => c.Name, same => same[0] with
        {
            Detections = (int)Math.Round(same.Sum(c => (double)c.Detections) / runs.Count),
            AveragePrecision = Mean(same, c => c.AveragePrecision),
            AveragePrecision50 = Mean(same, c => c.AveragePrecision50),
            Voc07 = Mean(same, c => c.Voc07),
            Voc12 = Mean(same, c => c.Voc12),
        }),
    };

    private static CocoMetrics Coco(CocoMetrics[] runs) => new(Figures(runs))
    {
        Curves = Curves([.. runs.Select(run => run.Curves)]),
        Classes = ByName(runs, run => run.Classes, c => c.Name, same => new CocoClassMetrics(same[0].Name, Figures(same))
        {
            Curves = Curves([.. same.Select(c => c.Curves)]),
        }),
    };

    private static double[] Figures(IReadOnlyList<CocoFigures> runs)
        => [.. CocoFigures.Names.Select((_, f) => Mean(runs, run => run.Figures[f]))];

    /// <summary>Curves are read at the same recalls in every run, so the mean goes point by point.</summary>
    private static PrecisionRecallCurve[] Curves(IReadOnlyList<PrecisionRecallCurve>[] runs)
    {
        IReadOnlyList<PrecisionRecallCurve>[] drawn = [.. runs.Where(curves => curves.Count > 0)];
        return drawn.Length == 0 ? [] : [.. drawn[0].Select((curve, t) => curve with
        {
            Precision = [.. curve.Precision.Select((_, i) => drawn.Average(curves => curves[t].Precision[i]))],
        })];
    }

    private static DetectionErrors Errors(DetectionErrors[] runs)
    {
        return new DetectionErrors
        {
            AveragePrecision50 = Mean(runs, run => run.AveragePrecision50),
            Localisation = Kind(run => run.Localisation),
            Classification = Kind(run => run.Classification),
            Duplicate = Kind(run => run.Duplicate),
            Background = Kind(run => run.Background),
            Both = Kind(run => run.Both),
            Missed = Kind(run => run.Missed),
        };

        DetectionErrorKind Kind(Func<DetectionErrors, DetectionErrorKind> of)
            => new((int)Math.Round(runs.Average(run => of(run).Count)), Mean(runs, run => of(run).AveragePrecisionGain));
    }

    private static T[] ByName<TRun, T>(IReadOnlyList<TRun> runs, Func<TRun, IEnumerable<T>> classes, Func<T, string> name,
        Func<T[], T> mean)
        => [.. runs.SelectMany(classes).GroupBy(name).Select(same => mean([.. same]))];

    private static double Mean<T>(IReadOnlyList<T> runs, Func<T, double> figure)
        => runs.Select(figure).Where(value => !double.IsNaN(value)).DefaultIfEmpty(double.NaN).Average();
}
