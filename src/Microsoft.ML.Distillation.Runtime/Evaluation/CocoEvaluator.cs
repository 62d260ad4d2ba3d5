using System.Numerics;

namespace Microsoft.ML.Distillation.Evaluation;

/// <summary>
/// COCO's average precision and recall of boxes, figure for figure those of the reference implementation
/// (cocodataset/cocoapi, COCOeval). Classes are measured in parallel.
/// </summary>
internal static class CocoEvaluator
{
    /// <summary>Measures detections against the ground truth.</summary>
    /// <param name="images">
    /// All images, those without objects or without detections too. Of equal scores the earlier image's counts first.
    /// </param>
    /// <param name="classNames">The classes; a label is an index into this list.</param>
    /// <param name="threads">How many threads to use; -1 for all processors.</param>
    public static CocoMetrics Evaluate(IReadOnlyList<EvaluationImage> images, IReadOnlyList<string> classNames, int threads = -1)
        => EvaluateGroups(ClassGroup.Of(images, classNames.Count), classNames, threads);

    /// <inheritdoc cref="Evaluate(IReadOnlyList{EvaluationImage}, IReadOnlyList{string}, int)"/>
    public static CocoMetrics EvaluateGroups(ClassGroup[] groups, IReadOnlyList<string> classNames, int threads = -1)
    {
        var results = new CocoClassResult[groups.Length];
        var parallel = new ParallelOptions { MaxDegreeOfParallelism = threads };
        Parallel.For(0, groups.Length, parallel, c => results[c] = CocoClassResult.Of(groups[c]));

        double[][] figures = Array.ConvertAll(results, r => r.Figures());
        return new CocoMetrics([.. CocoFigures.Names.Select((_, f) => Mean(figures.Select(ofClass => ofClass[f])))])
        {
            Curves = MeanCurves(results),
            Classes = [.. results.Select((r, c) => new CocoClassMetrics(classNames[c], figures[c])
            {
                Curves = Array.ConvertAll(r.Curves, AtRecalls),
            })],
        };
    }

    /// <summary>The mean of what can be measured; not a number where nothing can.</summary>
    private static double Mean(IEnumerable<double> figures)
        => figures.Where(value => !double.IsNaN(value)).DefaultIfEmpty(double.NaN).Average();

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
}

/// <summary>The constants of COCO's detection evaluation (cocodataset/cocoapi, COCOeval's parameters for boxes).</summary>
internal static class CocoProtocol
{
    /// <summary>The largest number of detections of one class in one image that count.</summary>
    public const int MaxDetections = 100;

    /// <summary>The numbers of detections at which recall is also measured.</summary>
    public static readonly int[] RecallDetections = [1, 10, MaxDetections];

    /// <summary>The IoU thresholds .50, .55, … .95.</summary>
    public static readonly double[] IouThresholds = Steps(0.5, 0.95, 10);

    /// <summary>The recalls 0, .01, … 1 at which precision is read.</summary>
    public static readonly double[] RecallThresholds = Steps(0, 1, 101);

    /// <summary>The ranges of areas in square pixels: all, small, medium, large; both ends belong to a range.</summary>
    public static readonly (double From, double To)[] AreaRanges = [(0, 1e10), (0, 32 * 32), (32 * 32, 96 * 96), (96 * 96, 1e10)];

    // In the reference's own arithmetic, so that a value that falls on a threshold falls on the same side.
    private static double[] Steps(double from, double to, int count)
    {
        double step = (to - from) / (count - 1);
        var values = new double[count];
        for (int i = 0; i < count; i++) values[i] = from + i * step;
        values[^1] = to;
        return values;
    }
}

/// <summary>One class's figures. NaN where the class has no object in an area range.</summary>
/// <param name="Precision">For each area range and IoU threshold, the precision averaged over 101 recalls.</param>
/// <param name="Recall">For each area range, at 1, 10 and 100 detections an image, the recall averaged over the IoU thresholds.</param>
/// <param name="Curves">For each IoU threshold, the precision at 101 recalls, of objects of all areas; empty without any object.</param>
internal sealed record CocoClassResult(double[][] Precision, double[][] Recall, double[][] Curves)
{
    /// <summary>The twelve figures, in COCO's order.</summary>
    public double[] Figures()
    {
        const int all = 0, small = 1, medium = 2, large = 3;
        return
        [
            Precision[all].Average(), Precision[all][0], Precision[all][5],
            Precision[small].Average(), Precision[medium].Average(), Precision[large].Average(),
            .. Recall[all], Recall[small][2], Recall[medium][2], Recall[large][2],
        ];
    }

    /// <summary>Measures one class.</summary>
    public static CocoClassResult Of(ClassGroup group)
    {
        MatchedDetection[] detections = CocoMatcher.Match(group);
        var precision = new double[CocoProtocol.AreaRanges.Length][];
        var recall = new double[CocoProtocol.AreaRanges.Length][];
        double[][] sampled = [];
        Span<double> atRecalls = stackalloc double[CocoProtocol.RecallThresholds.Length];
        for (int range = 0; range < precision.Length; range++)
        {
            int objects = group.Truth.Count(box => !box.Ignored && !CocoMatcher.IsOutside(box.Area, range));
            precision[range] = new double[CocoProtocol.IouThresholds.Length];
            recall[range] = new double[CocoProtocol.RecallDetections.Length];
            if (objects == 0)
            {
                Array.Fill(precision[range], double.NaN);
                Array.Fill(recall[range], double.NaN);
                continue;
            }

            List<double>[] curves = CurvesOf(detections, range);
            if (range == 0) sampled = new double[curves.Length][];
            for (int t = 0; t < curves.Length; t++)
            {
                precision[range][t] = AveragePrecision(curves[t], objects, atRecalls);
                if (range == 0) sampled[t] = atRecalls.ToArray();
            }

            for (int m = 0; m < recall[range].Length; m++)
                recall[range][m] = AverageRecall(detections, range, CocoProtocol.RecallDetections[m], objects);
        }

        return new CocoClassResult(precision, recall, sampled);
    }

    /// <summary>For each IoU threshold the precision after each right detection, best score first: precision peaks nowhere else.</summary>
    private static List<double>[] CurvesOf(MatchedDetection[] detections, int range)
    {
        List<double>[] curves = [.. CocoProtocol.IouThresholds.Select(_ => new List<double>())];
        Span<int> wrong = stackalloc int[curves.Length];
        int wrongAtAll = 0;
        foreach (ref readonly MatchedDetection detection in detections.AsSpan())
        {
            int right = detection.Right[range], ignored = detection.Ignored[range];
            if ((right | ignored) == 0)
            {
                wrongAtAll++;
                continue;
            }

            if (ignored == CocoMatcher.AllThresholds) continue;
            for (int t = 0; t < curves.Length; t++)
            {
                int bit = 1 << t;
                if ((right & bit) != 0) curves[t].Add((curves[t].Count + 1.0) / (wrongAtAll + wrong[t] + curves[t].Count + 1));
                else if ((ignored & bit) == 0) wrong[t]++;
            }
        }

        return curves;
    }

    /// <summary>The mean over 101 recalls of the best precision at that recall or a higher one.</summary>
    /// <param name="curve">The precision after each right detection; it is overwritten.</param>
    /// <param name="objects">The number of objects to find.</param>
    /// <param name="atRecalls">Receives the 101 precisions.</param>
    public static double AveragePrecision(List<double> curve, int objects, Span<double> atRecalls)
    {
        for (int i = curve.Count - 2; i >= 0; i--) curve[i] = Math.Max(curve[i], curve[i + 1]);

        double sum = 0;
        int found = 1;
        for (int i = 0; i < atRecalls.Length; i++)
        {
            while (found <= curve.Count && (double)found / objects < CocoProtocol.RecallThresholds[i]) found++;
            atRecalls[i] = found <= curve.Count ? curve[found - 1] : 0;
            sum += atRecalls[i];
        }

        return sum / atRecalls.Length;
    }

    private static double AverageRecall(MatchedDetection[] detections, int range, int most, int objects)
    {
        long right = 0;
        foreach (ref readonly MatchedDetection detection in detections.AsSpan())
        {
            if (detection.Place < most) right += BitOperations.PopCount(detection.Right[range]);
        }

        return (double)right / CocoProtocol.IouThresholds.Length / objects;
    }
}
