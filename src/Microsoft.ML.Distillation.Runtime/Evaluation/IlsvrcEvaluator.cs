using System.Runtime.InteropServices;

namespace Microsoft.ML.Distillation.Evaluation;

/// <summary>
/// ILSVRC-DET's average precision, as its development kit measures: in each image, best score first, a detection finds the
/// object of its class that it overlaps most among those not found yet and overlapped enough. Pixels are inclusive
/// (width = x1 - x0 + 1), average precision is the area under the whole curve.
/// </summary>
/// <remarks>
/// The kit's list of images and classes to leave out is a <see cref="TrueBox.DontCare"/> region of that class over the whole image.
/// </remarks>
internal static class IlsvrcEvaluator
{
    private const double LargestThreshold = 0.5;
    private const double PixelTolerance = 10;
    private const double InclusivePixels = 1;

    private enum Outcome : byte
    {
        Wrong,
        Right,
        Neither,
    }

    /// <summary>Measures detections against the ground truth.</summary>
    /// <param name="images">All images. Of equal scores the earlier image's counts first.</param>
    /// <param name="classNames">The classes; a label is an index into this list.</param>
    public static IlsvrcMetrics Evaluate(IReadOnlyList<EvaluationImage> images, IReadOnlyList<string> classNames)
        => EvaluateGroups(ClassGroup.Of(images, classNames.Count), classNames);

    /// <inheritdoc cref="Evaluate(IReadOnlyList{EvaluationImage}, IReadOnlyList{string})"/>
    public static IlsvrcMetrics EvaluateGroups(ClassGroup[] groups, IReadOnlyList<string> classNames)
    {
        var classes = new IlsvrcClassMetrics[groups.Length];
        Parallel.For(0, groups.Length, c => classes[c] = EvaluateClass(groups[c], classNames[c]));
        double mean = classes.Select(c => c.AveragePrecision).Where(value => !double.IsNaN(value)).DefaultIfEmpty(double.NaN).Average();
        return new IlsvrcMetrics(mean, classes);
    }

    /// <summary>The IoU from which an object is found.</summary>
    public static double Threshold(in Box box)
    {
        double width = box.Width + InclusivePixels, height = box.Height + InclusivePixels;
        return Math.Min(LargestThreshold, width * height / ((width + PixelTolerance) * (height + PixelTolerance)));
    }

    private static IlsvrcClassMetrics EvaluateClass(ClassGroup group, string name)
    {
        int objects = group.Truth.Count(box => !box.Ignored);
        if (objects == 0) return new IlsvrcClassMetrics(name, double.NaN, PrecisionRecallCurve.Empty);
        var outcomes = new Outcome[group.Detections.Count];
        for (int i = 0; i < group.Images.Count; i++)
        {
            (Range truth, Range detections) = group.RangesOf(i);
            MatchImage(
                CollectionsMarshal.AsSpan(group.Truth)[truth], CollectionsMarshal.AsSpan(group.Detections)[detections],
                outcomes.AsSpan()[detections]);
        }

        var curve = new RankedCurve(objects);
        foreach (int index in Ranking.BestFirst(outcomes.Length, i => group.Detections[i].Rank))
        {
            if (outcomes[index] == Outcome.Right) curve.AddRight();
            else if (outcomes[index] == Outcome.Wrong) curve.AddWrong();
        }

        PrecisionRecallCurve closed = curve.Close();
        return new IlsvrcClassMetrics(name, closed.AreaUnder(), closed);
    }

    private static void MatchImage(ReadOnlySpan<TrueBox> truth, ReadOnlySpan<DetectedBox> detections, Span<Outcome> outcomes)
    {
        var order = new int[detections.Length];
        var taken = new bool[truth.Length];
        Ranking.BestFirst(detections, order);
        foreach (int index in order)
        {
            Box box = detections[index].Box;
            int found = BestFree(box, truth, taken, ignored: false);
            if (found >= 0) outcomes[index] = Outcome.Right;
            else if ((found = BestFree(box, truth, taken, ignored: true)) >= 0) outcomes[index] = Outcome.Neither;
            if (found >= 0) taken[found] = !truth[found].IsRegion;
        }
    }

    private static int BestFree(in Box box, ReadOnlySpan<TrueBox> truth, bool[] taken, bool ignored)
    {
        int best = -1;
        double highest = 0;
        for (int g = 0; g < truth.Length; g++)
        {
            if (taken[g] || truth[g].Ignored != ignored) continue;
            double cover = truth[g].Cover(box, InclusivePixels);
            double enough = truth[g].IsRegion ? LargestThreshold : Threshold(truth[g].Box);
            if (cover >= enough && cover > highest) (best, highest) = (g, cover);
        }

        return best;
    }
}
