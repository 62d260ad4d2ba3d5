using System.Globalization;
using static TorchSharp.torch;

namespace Microsoft.ML.Distillation.Distributed;

/// <summary>
/// A process's share of the processors of its machine: libtorch takes all of them, and several processes that do so stand in each other's
/// way. Launchers that bind a process to its own, and users who have set <c>OMP_NUM_THREADS</c>, are left alone.
/// </summary>
internal sealed class ThreadShare : IDisposable
{
    private readonly int _before = get_num_threads();

    private ThreadShare(int threads) => set_num_threads(threads);

    /// <summary>Takes the share; <see langword="null"/> where there is nothing to do.</summary>
    public static ThreadShare? Take(RankGroup ranks)
    {
        if (ranks.LocalCount == 1 || Environment.GetEnvironmentVariable("OMP_NUM_THREADS") is { Length: > 0 }) return null;
        int share = Share(Processors(), Environment.ProcessorCount, ranks.LocalCount);
        return share < get_num_threads() ? new ThreadShare(share) : null;
    }

    /// <inheritdoc/>
    public void Dispose() => set_num_threads(_before);

    /// <summary>The number of threads.</summary>
    /// <param name="all">The machine's processors.</param>
    /// <param name="own">Those on which this process may run.</param>
    /// <param name="processes">The processes on the machine.</param>
    internal static int Share(int all, int own, int processes) => Math.Max(1, own < all ? own : all / processes);

    /// <summary>The processors of the machine, whatever this process is bound to.</summary>
    private static int Processors()
    {
        const string Online = "/sys/devices/system/cpu/online";
        if (!File.Exists(Online)) return Environment.ProcessorCount;
        // As 0-3,8-11.
        return File.ReadAllText(Online).Trim().Split(',').Select(range => range.Split('-'))
            .Sum(ends => Number(ends[^1]) - Number(ends[0]) + 1);

        static int Number(string text) => int.Parse(text, CultureInfo.InvariantCulture);
    }
}
