using System.Runtime.InteropServices;

namespace Microsoft.ML.Distillation.Evaluation;

/// <summary>
/// PASCAL VOC's average precision: over all images, best score first, a detection is right when the object of its class
/// that it overlaps most is overlapped enough and not found yet. (Everingham et al. 2010, section 4.2, and the devkits.)
/// </summary>
internal static class VocEvaluator
{
    /// <summary>Measures detections against the ground truth.</summary>
    /// <param name="images">All images. Of equal scores the earlier image's counts first.</param>
    /// <param name="classNames">The classes; a label is an index into this list.</param>
    public static VocMetrics Evaluate(IReadOnlyList<EvaluationImage> images, IReadOnlyList<string> classNames, VocProtocol protocol)
        => EvaluateGroups(ClassGroup.Of(images, classNames.Count), classNames, protocol);

    /// <inheritdoc cref="Evaluate(IReadOnlyList{EvaluationImage}, IReadOnlyList{string}, VocProtocol)"/>
    public static VocMetrics EvaluateGroups(ClassGroup[] groups, IReadOnlyList<string> classNames, VocProtocol protocol)
    {
        var precisions = new double[groups.Length];
        Parallel.For(0, groups.Length, c => precisions[c] = AveragePrecision(groups[c], protocol));
        double mean = precisions.Where(value => !double.IsNaN(value)).DefaultIfEmpty(double.NaN).Average();
        return new VocMetrics(mean, [.. precisions.Select((value, c) => new VocClassMetrics(classNames[c], value))]);
    }

    private static double AveragePrecision(ClassGroup group, VocProtocol protocol)
    {
        int objects = group.Truth.Count(box => !box.Ignored);
        if (objects == 0) return double.NaN;
        (double Precision, double Recall)[] curve = Curve(group, protocol, objects);
        return protocol.Interpolation == VocInterpolation.AllPoints ? AllPoints(curve) : ElevenPoints(curve);
    }

    /// <summary>Precision and recall after each right detection; the precision is the best at that recall or a higher one.</summary>
    private static (double Precision, double Recall)[] Curve(ClassGroup group, VocProtocol protocol, int objects)
    {
        (int Object, double Iou)[] nearest = Nearest(group, protocol.InclusivePixels ? 1 : 0);
        var taken = new bool[group.Truth.Count];
        var curve = new List<(double Precision, double Recall)>();
        int wrong = 0;
        foreach (int index in Ranking.BestFirst(group.Detections.Count, i => group.Detections[i].Rank))
        {
            (int match, double iou) = nearest[index];
            bool found = match >= 0 && iou >= protocol.IouThreshold;
            if (found && group.Truth[match].Ignored) continue;
            if (!found || taken[match])
            {
                wrong++;
                continue;
            }

            taken[match] = true;
            double right = curve.Count + 1;
            curve.Add((right / (right + wrong), right / objects));
        }

        for (int i = curve.Count - 2; i >= 0; i--)
            curve[i] = curve[i] with { Precision = Math.Max(curve[i].Precision, curve[i + 1].Precision) };
        return [.. curve];
    }

    /// <summary>For each detection the object of its image that it overlaps most, taken or not.</summary>
    private static (int Object, double Iou)[] Nearest(ClassGroup group, double edge)
    {
        var nearest = new (int Object, double Iou)[group.Detections.Count];
        ReadOnlySpan<TrueBox> truth = CollectionsMarshal.AsSpan(group.Truth);
        for (int i = 0; i < group.Images.Count; i++)
        {
            (Range objects, Range detections) = group.RangesOf(i);
            for (int d = detections.Start.Value; d < detections.End.Value; d++)
            {
                nearest[d] = (-1, 0);
                Box box = group.Detections[d].Box;
                for (int g = objects.Start.Value; g < objects.End.Value; g++)
                {
                    double iou = box.Iou(truth[g].Box, edge);
                    if (iou > nearest[d].Iou) nearest[d] = (g, iou);
                }
            }
        }

        return nearest;
    }

    private static double AllPoints((double Precision, double Recall)[] curve)
    {
        double area = 0, before = 0;
        foreach ((double precision, double recall) in curve)
        {
            area += (recall - before) * precision;
            before = recall;
        }

        return area;
    }

    private static double ElevenPoints((double Precision, double Recall)[] curve)
    {
        double sum = 0;
        for (int i = 0; i <= 10; i++)
        {
            int at = Array.FindIndex(curve, point => point.Recall >= i * 0.1);
            if (at >= 0) sum += curve[at].Precision;
        }

        return sum / 11;
    }
}
