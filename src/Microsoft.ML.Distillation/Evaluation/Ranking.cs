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
