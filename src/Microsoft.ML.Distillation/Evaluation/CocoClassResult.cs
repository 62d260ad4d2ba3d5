using System.Numerics;

namespace Microsoft.ML.Distillation.Evaluation;

/// <summary>One class's figures. NaN where the class has no object in an area range.</summary>
/// <param name="Precision">For each area range and IoU threshold, the precision averaged over 101 recalls.</param>
/// <param name="Recall">For each area range, at 1, 10 and 100 detections an image, the recall averaged over the IoU thresholds.</param>
/// <param name="Curves">For each IoU threshold, the precision at 101 recalls, of objects of all areas; empty without any object.</param>
internal sealed record CocoClassResult(double[][] Precision, double[][] Recall, double[][] Curves)
{
    /// <summary>The precision averaged over the IoU thresholds.</summary>
    public double AveragePrecision(int range) => Precision[range].Average();

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
