using System.Buffers;

namespace Microsoft.ML.Distillation.Boxes;

/// <summary>
/// Greedy non-maximum suppression: the best box stays, and every box that overlaps it by more than the threshold goes; then
/// the best of the rest, and so on.
/// </summary>
internal static class Nms
{
    /// <summary>The indices of the boxes that stay, best first, at most <paramref name="limit"/> of them.</summary>
    /// <param name="boxes">4N values.</param>
    /// <param name="scores">N values.</param>
    /// <param name="threshold">The largest intersection over union of two boxes that both stay.</param>
    public static int[] Keep(ReadOnlySpan<float> boxes, ReadOnlySpan<float> scores, float threshold, int limit = int.MaxValue)
        => KeepSorted(boxes, ScoreOrder.Descending(scores), threshold, limit);

    /// <summary>As <see cref="Keep(ReadOnlySpan{float}, ReadOnlySpan{float}, float, int)"/>, where only boxes of the same group suppress
    /// one another.</summary>
    /// <param name="limit">The most boxes of one group.</param>
    public static int[] KeepBatched(
        ReadOnlySpan<float> boxes, ReadOnlySpan<float> scores, ReadOnlySpan<long> groups, float threshold, int limit = int.MaxValue)
    {
        var members = new Dictionary<long, List<int>>();
        foreach (int index in ScoreOrder.Descending(scores))
        {
            if (!members.TryGetValue(groups[index], out List<int>? list)) members[groups[index]] = list = [];
            list.Add(index);
        }

        var kept = new List<int>();
        foreach (List<int> group in members.Values) kept.AddRange(KeepSorted(boxes, [.. group], threshold, limit));

        kept.Sort();
        var keptScores = new float[kept.Count];
        for (int i = 0; i < keptScores.Length; i++) keptScores[i] = scores[kept[i]];
        return Array.ConvertAll(ScoreOrder.Descending(keptScores), i => kept[i]);
    }

    /// <summary>Suppression among the boxes of <paramref name="order"/>, which has the best first.</summary>
    private static int[] KeepSorted(ReadOnlySpan<float> boxes, int[] order, float threshold, int limit)
    {
        // No two boxes overlap by more than 1.
        if (threshold >= 1) return order[..Math.Min(limit, order.Length)];
        BoxColumns sorted = BoxColumns.FromRows(boxes, order);
        float[] iou = ArrayPool<float>.Shared.Rent(order.Length);
        var suppressed = new bool[order.Length];
        var kept = new List<int>();
        for (int i = 0; i < order.Length && kept.Count < limit; i++)
        {
            if (suppressed[i]) continue;
            kept.Add(order[i]);
            sorted.Iou(sorted.X0[i], sorted.Y0[i], sorted.X1[i], sorted.Y1[i], i + 1, iou);
            Mark(iou.AsSpan(i + 1, order.Length - i - 1), threshold, suppressed.AsSpan(i + 1));
        }

        ArrayPool<float>.Shared.Return(iou);
        return [.. kept];
    }

    private static void Mark(ReadOnlySpan<float> iou, float threshold, Span<bool> suppressed)
    {
        for (int j = 0; j < iou.Length; j++) suppressed[j] |= iou[j] > threshold;
    }
}

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
