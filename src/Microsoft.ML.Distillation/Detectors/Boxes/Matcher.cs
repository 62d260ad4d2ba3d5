using System.Buffers;
using System.Numerics;
using Microsoft.ML.Distillation.Boxes;

namespace Microsoft.ML.Distillation.Detectors.Boxes;

/// <summary>
/// Assigns boxes (anchors or proposals) to objects by intersection over union: at least <paramref name="High"/> is a match,
/// below <paramref name="Low"/> is background, between the two is neither. With <paramref name="AllowLowQuality"/> every
/// object also gets the boxes that overlap it most, however little (Faster R-CNN, section 3.1.2; torchvision's Matcher).
/// </summary>
internal sealed record Matcher(float High, float Low, bool AllowLowQuality)
{
    /// <summary>The box is background.</summary>
    public const int Background = -1;

    /// <summary>The box is neither object nor background.</summary>
    public const int Neither = -2;

    /// <summary>For each box the index of its object, <see cref="Background"/> or <see cref="Neither"/>.</summary>
    /// <param name="objects">4G values, in the unit of the boxes.</param>
    public int[] Match(ReadOnlySpan<float> objects, BoxColumns boxes)
    {
        int count = boxes.Count;
        var matches = new int[count];
        if (objects.IsEmpty)
        {
            Array.Fill(matches, Background);
            return matches;
        }

        float[] row = ArrayPool<float>.Shared.Rent(count), best = ArrayPool<float>.Shared.Rent(count);
        var bestOf = new bool[AllowLowQuality ? count : 0];
        best.AsSpan(0, count).Fill(-1);
        for (int g = 0; g < objects.Length / 4; g++)
        {
            boxes.Iou(objects[4 * g], objects[4 * g + 1], objects[4 * g + 2], objects[4 * g + 3], 0, row);
            float highest = TakeBetter(g, row.AsSpan(0, count), best, matches);
            if (AllowLowQuality && highest > 0) MarkEqual(row.AsSpan(0, count), highest, bestOf);
        }

        for (int i = 0; i < count; i++)
        {
            if (best[i] >= High || (AllowLowQuality && bestOf[i])) continue;
            matches[i] = best[i] < Low ? Background : Neither;
        }

        ArrayPool<float>.Shared.Return(row);
        ArrayPool<float>.Shared.Return(best);
        return matches;
    }

    /// <summary>
    /// Where object <paramref name="g"/> overlaps a box more than any before it, notes that; returns its largest overlap.
    /// </summary>
    private static float TakeBetter(int g, ReadOnlySpan<float> row, Span<float> best, Span<int> matches)
    {
        int i = 0;
        float highest = 0;
        if (Vector.IsHardwareAccelerated)
        {
            var vHighest = Vector<float>.Zero;
            var index = new Vector<int>(g);
            for (; i <= row.Length - Vector<float>.Count; i += Vector<float>.Count)
            {
                var value = new Vector<float>(row[i..]);
                var before = new Vector<float>(best[i..]);
                Vector<int> better = Vector.GreaterThan(value, before);
                Vector.ConditionalSelect(better, value, before).CopyTo(best[i..]);
                Vector.ConditionalSelect(better, index, new Vector<int>(matches[i..])).CopyTo(matches[i..]);
                vHighest = Vector.Max(vHighest, value);
            }

            for (int lane = 0; lane < Vector<float>.Count; lane++) highest = MathF.Max(highest, vHighest[lane]);
        }

        for (; i < row.Length; i++)
        {
            highest = MathF.Max(highest, row[i]);
            if (row[i] <= best[i]) continue;
            best[i] = row[i];
            matches[i] = g;
        }

        return highest;
    }

    private static void MarkEqual(ReadOnlySpan<float> row, float value, Span<bool> marks)
    {
        for (int at = 0; ;)
        {
            int next = row[at..].IndexOf(value);
            if (next < 0) return;
            at += next;
            marks[at++] = true;
        }
    }
}

/// <summary>
/// Draws at most <paramref name="Count"/> boxes of an image, at most the given share of them matched to objects, the rest
/// background.
/// </summary>
internal sealed record BalancedSampler(int Count, float PositiveShare)
{
    /// <summary>The indices of the boxes drawn, in ascending order.</summary>
    /// <param name="matches">What <see cref="Matcher.Match"/> said of each box.</param>
    /// <param name="random">The source of chance: one generator for each image.</param>
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
