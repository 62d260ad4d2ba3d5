namespace Microsoft.ML.Distillation.Detectors.Boxes;

/// <summary>Sorting by score, best first; equal scores keep the order of their indices, so that results never depend on luck.</summary>
internal static class ScoreOrder
{
    /// <summary>The indices of all scores, best first.</summary>
    public static int[] Descending(ReadOnlySpan<float> scores) => Top(scores, scores.Length);

    /// <summary>The indices of the <paramref name="count"/> best scores (or of all, where there are fewer), best first.</summary>
    public static int[] Top(ReadOnlySpan<float> scores, int count)
    {
        // A score and its index in one integer that sorts ascending: the flipped bits of the score, then the index.
        var keys = new ulong[scores.Length];
        for (int i = 0; i < keys.Length; i++)
        {
            uint bits = BitConverter.SingleToUInt32Bits(scores[i]);
            uint ascending = (bits & 0x8000_0000) != 0 ? ~bits : bits | 0x8000_0000;
            keys[i] = (ulong)~ascending << 32 | (uint)i;
        }

        Span<ulong> best = keys;
        if (count < keys.Length)
        {
            Select(keys, count);
            best = best[..Math.Max(count, 0)];
        }

        best.Sort();
        var order = new int[best.Length];
        for (int i = 0; i < order.Length; i++) order[i] = (int)(uint)best[i];
        return order;
    }

    /// <summary>Reorders so that the <paramref name="count"/> smallest keys come first (quickselect).</summary>
    private static void Select(Span<ulong> keys, int count)
    {
        int low = 0, high = keys.Length - 1;
        while (low < high)
        {
            ulong pivot = Median(keys[low], keys[(low + high) / 2], keys[high]);
            int i = low, j = high;
            while (i <= j)
            {
                while (keys[i] < pivot) i++;
                while (keys[j] > pivot) j--;
                if (i <= j)
                {
                    (keys[i], keys[j]) = (keys[j], keys[i]);
                    i++;
                    j--;
                }
            }

            if (count <= j) high = j;
            else if (count >= i) low = i;
            else return;
        }
    }

    private static ulong Median(ulong a, ulong b, ulong c) => Math.Max(Math.Min(a, b), Math.Min(Math.Max(a, b), c));
}
