namespace Microsoft.ML.Distillation.Detectors.Boxes;

/// <summary>
/// Draws at most <paramref name="Count"/> boxes of an image, at most the given share of them matched to objects, the rest
/// background.
/// </summary>
internal sealed record BalancedSampler(int Count, float PositiveShare)
{
    /// <summary>The indices of the boxes drawn, in ascending order.</summary>
    /// <param name="matches">What <see cref="Matcher.Match"/> said of each box.</param>
    /// <param name="random">The source of chance: one generator for a whole batch.</param>
    public (int[] Positives, int[] Negatives) Sample(ReadOnlySpan<int> matches, Random random)
    {
        var positives = new List<int>();
        var negatives = new List<int>(matches.Length);
        for (int i = 0; i < matches.Length; i++)
        {
            if (matches[i] >= 0) positives.Add(i);
            else if (matches[i] == Matcher.Background) negatives.Add(i);
        }

        int[] drawn = Draw(positives, (int)(Count * PositiveShare), random);
        return (drawn, Draw(negatives, Count - drawn.Length, random));
    }

    private static int[] Draw(List<int> from, int count, Random random)
    {
        count = Math.Min(count, from.Count);
        if (count == from.Count) return [.. from];
        for (int i = 0; i < count; i++)
        {
            int j = random.Next(i, from.Count);
            (from[i], from[j]) = (from[j], from[i]);
        }

        int[] drawn = [.. from[..count]];
        Array.Sort(drawn);
        return drawn;
    }
}
