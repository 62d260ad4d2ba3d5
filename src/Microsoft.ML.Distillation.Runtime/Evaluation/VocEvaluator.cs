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
        var classes = new VocClassMetrics[groups.Length];
        Parallel.For(0, groups.Length, c => classes[c] = EvaluateClass(groups[c], classNames[c], protocol));
        double mean = classes.Select(c => c.AveragePrecision).Where(value => !double.IsNaN(value)).DefaultIfEmpty(double.NaN).Average();
        return new VocMetrics(mean, classes);
    }

    private static VocClassMetrics EvaluateClass(ClassGroup group, string name, VocProtocol protocol)
    {
        int objects = group.Truth.Count(box => !box.Ignored);
        if (objects == 0) return new VocClassMetrics(name, double.NaN) { Curve = PrecisionRecallCurve.Empty };
        PrecisionRecallCurve curve = Curve(group, protocol, objects);
        double precision = protocol.Interpolation == VocInterpolation.AllPoints ? curve.AreaUnder() : ElevenPoints(curve);
        return new VocClassMetrics(name, precision) { Curve = curve };
    }

    private static PrecisionRecallCurve Curve(ClassGroup group, VocProtocol protocol, int objects)
    {
        Nearest[] nearest = NearestOf(group, protocol);
        var taken = new bool[group.Truth.Count];
        var curve = new RankedCurve(objects);
        foreach (int index in Ranking.BestFirst(group.Detections.Count, i => group.Detections[i].Rank))
        {
            (int match, double iou, bool excused) = nearest[index];
            bool found = match >= 0 && iou >= protocol.IouThreshold;
            if (found && group.Truth[match].Ignored) continue;
            if (found && !taken[match])
            {
                taken[match] = true;
                curve.AddRight();
            }
            else if (!excused)
            {
                curve.AddWrong();
            }
        }

        return curve.Close();
    }

    /// <summary>What a detection meets in its image.</summary>
    /// <param name="Object">The object that it overlaps most, taken or not; -1 for none.</param>
    /// <param name="Iou">How much it overlaps that object.</param>
    /// <param name="Excused">Whether it lies in a region where nothing is wrong.</param>
    private readonly record struct Nearest(int Object, double Iou, bool Excused);

    private static Nearest[] NearestOf(ClassGroup group, VocProtocol protocol)
    {
        double edge = protocol.InclusivePixels ? 1 : 0;
        var nearest = new Nearest[group.Detections.Count];
        ReadOnlySpan<TrueBox> truth = CollectionsMarshal.AsSpan(group.Truth);
        for (int i = 0; i < group.Images.Count; i++)
        {
            (Range objects, Range detections) = group.RangesOf(i);
            for (int d = detections.Start.Value; d < detections.End.Value; d++)
            {
                nearest[d] = new Nearest(-1, 0, false);
                Box box = group.Detections[d].Box;
                for (int g = objects.Start.Value; g < objects.End.Value; g++)
                {
                    double cover = truth[g].Cover(box, edge);
                    if (truth[g].IsRegion) nearest[d] = nearest[d] with { Excused = nearest[d].Excused || cover >= protocol.IouThreshold };
                    else if (cover > nearest[d].Iou) nearest[d] = nearest[d] with { Object = g, Iou = cover };
                }
            }
        }

        return nearest;
    }

    private static double ElevenPoints(PrecisionRecallCurve curve)
    {
        double sum = 0;
        for (int i = 0, at = 0; i <= 10; i++)
        {
            while (at < curve.Recall.Count && curve.Recall[at] < i * 0.1) at++;
            if (at < curve.Recall.Count) sum += curve.Precision[at];
        }

        return sum / 11;
    }
}

/// <summary>Which of PASCAL VOC's two rules of average precision.</summary>
internal enum VocInterpolation
{
    /// <summary>VOC 2007: the mean of the best precision at recalls 0, .1, … 1.</summary>
    ElevenPoints,

    /// <summary>VOC 2010 and later: the area under the whole curve.</summary>
    AllPoints,
}

/// <summary>How PASCAL VOC measures.</summary>
/// <param name="Interpolation">The rule of average precision.</param>
/// <param name="IouThreshold">The IoU from which a detection is right.</param>
/// <param name="InclusivePixels">
/// Whether x1 and y1 name the last pixel inside the box, as in VOC's own files: then a width is x1 - x0 + 1.
/// </param>
internal sealed record VocProtocol(VocInterpolation Interpolation, double IouThreshold = 0.5, bool InclusivePixels = true);
