namespace Microsoft.ML.Distillation.Data;

/// <summary>Random numbers that depend on nothing but the seed, the epoch and the image, whichever thread draws them and when.</summary>
internal static class SampleRandom
{
    /// <summary>The generator of one image in one epoch.</summary>
    public static Random For(int seed, int epoch, int index)
        => new((int)(Mix(Mix(Mix((uint)seed) + (uint)epoch) + (uint)index) >> 33));

    /// <summary>The order of an epoch's images.</summary>
    public static int[] Permutation(int count, int seed, int epoch)
    {
        int[] order = [.. Enumerable.Range(0, count)];
        For(seed, epoch, -1).Shuffle(order);
        return order;
    }

    /// <summary>The order of one round through one part of a data set, where training draws from several.</summary>
    public static int[] Round(int count, int seed, int part, long round)
    {
        int[] order = [.. Enumerable.Range(0, count)];
        new Random((int)(Mix(Mix(Mix(~(ulong)(uint)seed) + (uint)part) + (ulong)round) >> 33)).Shuffle(order);
        return order;
    }

    /// <summary>One step of splitmix64 (Steele, Lea, Flood 2014): neighbouring inputs give unrelated outputs.</summary>
    private static ulong Mix(ulong value)
    {
        value += 0x9E3779B97F4A7C15;
        value = (value ^ (value >> 30)) * 0xBF58476D1CE4E5B9;
        value = (value ^ (value >> 27)) * 0x94D049BB133111EB;
        return value ^ (value >> 31);
    }
}
