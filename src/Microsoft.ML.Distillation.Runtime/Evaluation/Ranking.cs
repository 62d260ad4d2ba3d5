namespace Microsoft.ML.Distillation.Evaluation;

/// <summary>Orders by score, highest first; equal scores keep their order.</summary>
internal static class Ranking
{
    // Up to here sorting by insertion is faster than anything that allocates.
    private const int Few = 24;

    /// <summary>The indices 0 to count - 1, best first.</summary>
    public static int[] BestFirst(int count, Func<int, double> scoreOf)
    {
        var scores = new double[count];
        var order = new int[count];
        for (int i = 0; i < count; i++) (scores[i], order[i]) = (scoreOf(i), i);
        Sort(order, scores);
        return order;
    }

    /// <summary>Writes the indices of the detections, best first, into <paramref name="order"/>.</summary>
    public static void BestFirst(ReadOnlySpan<DetectedBox> detections, Span<int> order)
    {
        if (detections.Length > Few)
        {
            var scores = new double[detections.Length];
            for (int i = 0; i < scores.Length; i++) (scores[i], order[i]) = (detections[i].Rank, i);
            Sort(order[..scores.Length], scores);
            return;
        }

        for (int i = 0; i < detections.Length; i++)
        {
            double score = detections[i].Rank;
            int at = i;
            for (; at > 0 && detections[order[at - 1]].Rank < score; at--) order[at] = order[at - 1];
            order[at] = i;
        }
    }

    private static void Sort(Span<int> order, double[] scores)
        => order.Sort((a, b) =>
        {
            int byScore = scores[b].CompareTo(scores[a]);
            return byScore != 0 ? byScore : a.CompareTo(b);
        });
}

/// <summary>Builds a curve from detections told one by one, best score first: a point after each right one.</summary>
/// <param name="objects">The number of objects to find.</param>
internal sealed class RankedCurve(int objects)
{
    private readonly List<double> _precision = [];
    private int _wrong;

    /// <summary>The next detection finds an object.</summary>
    public void AddRight() => _precision.Add((_precision.Count + 1.0) / (_precision.Count + 1 + _wrong));

    /// <summary>The next detection finds nothing, or what is found already.</summary>
    public void AddWrong() => _wrong++;

    /// <summary>The curve; precision is the best at its recall or at a higher one.</summary>
    public PrecisionRecallCurve Close()
    {
        for (int i = _precision.Count - 2; i >= 0; i--) _precision[i] = Math.Max(_precision[i], _precision[i + 1]);
        return new PrecisionRecallCurve([.. _precision.Select((_, i) => (i + 1.0) / objects)], [.. _precision]);
    }
}
