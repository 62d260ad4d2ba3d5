namespace Microsoft.ML.Distillation.Evaluation;

/// <summary>
/// COCO's average precision and recall of boxes, figure for figure those of the reference implementation
/// (cocodataset/cocoapi, COCOeval). Classes are measured in parallel.
/// </summary>
internal static class CocoEvaluator
{
    /// <summary>Measures detections against the ground truth.</summary>
    /// <param name="images">All images, those without objects or without detections too. Of equal scores the earlier image's counts first.</param>
    /// <param name="classNames">The classes; a label is an index into this list.</param>
    /// <param name="threads">How many threads to use; -1 for all processors.</param>
    public static CocoMetrics Evaluate(IReadOnlyList<EvaluationImage> images, IReadOnlyList<string> classNames, int threads = -1)
        => EvaluateGroups(ClassGroup.Of(images, classNames.Count), classNames, threads);

    /// <inheritdoc cref="Evaluate(IReadOnlyList{EvaluationImage}, IReadOnlyList{string}, int)"/>
    public static CocoMetrics EvaluateGroups(ClassGroup[] groups, IReadOnlyList<string> classNames, int threads = -1)
    {
        var results = new CocoClassResult[groups.Length];
        Parallel.For(0, groups.Length, new ParallelOptions { MaxDegreeOfParallelism = threads }, c => results[c] = CocoClassResult.Of(groups[c]));

        const int all = 0, small = 1, medium = 2, large = 3;
        return new CocoMetrics
        {
            AveragePrecision = Mean(results, r => r.AveragePrecision(all)),
            AveragePrecision50 = Mean(results, r => r.Precision[all][0]),
            AveragePrecision75 = Mean(results, r => r.Precision[all][5]),
            AveragePrecisionSmall = Mean(results, r => r.AveragePrecision(small)),
            AveragePrecisionMedium = Mean(results, r => r.AveragePrecision(medium)),
            AveragePrecisionLarge = Mean(results, r => r.AveragePrecision(large)),
            AverageRecall1 = Mean(results, r => r.Recall[all][0]),
            AverageRecall10 = Mean(results, r => r.Recall[all][1]),
            AverageRecall100 = Mean(results, r => r.Recall[all][2]),
            AverageRecallSmall = Mean(results, r => r.Recall[small][2]),
            AverageRecallMedium = Mean(results, r => r.Recall[medium][2]),
            AverageRecallLarge = Mean(results, r => r.Recall[large][2]),
            Curves = MeanCurves(results),
            Classes = [.. results.Select((r, c) => new CocoClassMetrics(classNames[c], r.AveragePrecision(all), r.Precision[all][0])
            {
                AveragePrecision75 = r.Precision[all][5],
                AveragePrecisionSmall = r.AveragePrecision(small),
                AveragePrecisionMedium = r.AveragePrecision(medium),
                AveragePrecisionLarge = r.AveragePrecision(large),
                AverageRecall1 = r.Recall[all][0],
                AverageRecall10 = r.Recall[all][1],
                AverageRecall100 = r.Recall[all][2],
                AverageRecallSmall = r.Recall[small][2],
                AverageRecallMedium = r.Recall[medium][2],
                AverageRecallLarge = r.Recall[large][2],
                Curves = Array.ConvertAll(r.Curves, AtRecalls),
            })],
        };
    }

    private static PrecisionRecallCurve AtRecalls(double[] precision) => new(CocoProtocol.RecallThresholds, precision);

    /// <summary>For each IoU threshold the mean of the classes' curves.</summary>
    private static PrecisionRecallCurve[] MeanCurves(CocoClassResult[] results)
    {
        CocoClassResult[] measured = [.. results.Where(r => r.Curves.Length > 0)];
        if (measured.Length == 0) return [];
        var mean = new PrecisionRecallCurve[CocoProtocol.IouThresholds.Length];
        for (int t = 0; t < mean.Length; t++)
        {
            var precision = new double[CocoProtocol.RecallThresholds.Length];
            foreach (CocoClassResult result in measured)
            {
                for (int i = 0; i < precision.Length; i++) precision[i] += result.Curves[t][i] / measured.Length;
            }

            mean[t] = AtRecalls(precision);
        }

        return mean;
    }

    /// <summary>The mean over the classes that have anything to find; not a number where none has.</summary>
    private static double Mean(CocoClassResult[] results, Func<CocoClassResult, double> figure)
        => results.Select(figure).Where(value => !double.IsNaN(value)).DefaultIfEmpty(double.NaN).Average();
}
