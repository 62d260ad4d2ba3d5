using System.Globalization;
using static TorchSharp.torch;

namespace Microsoft.ML.Distillation.Distributed;

/// <summary>
/// The threads that libtorch takes for its operators. By itself it takes one for each core. Several processes of a machine that do so stand
/// in each other's way; and the operators of a small student are nearly over before a second thread has begun, which then mostly waits, at
/// the cost of whatever else runs there. Launchers that bind a process to its own cores, and users who have set <c>OMP_NUM_THREADS</c>,
/// are left alone.
/// </summary>
internal sealed class ThreadShare : IDisposable
{
    // Measured on two cores (./build.sh bench busy): below, a second thread gains a fifth at most, and beside another program costs more.
    private const double WorkOfAThread = 4e10;

    private readonly int _before = get_num_threads();

    private ThreadShare(int threads) => set_num_threads(threads);

    /// <summary>Takes a process's share of its machine; <see langword="null"/> where there is nothing to do.</summary>
    public static ThreadShare? Take(RankGroup ranks)
        => ranks.LocalCount == 1 ? null : Take(Share(Processors(), Environment.ProcessorCount, ranks.LocalCount));

    /// <summary>Takes as many threads as the steps of a training keep at work; <see langword="null"/> where those are all.</summary>
    /// <param name="work">The pixels of a batch times the parameters that are trained.</param>
    public static ThreadShare? For(double work) => Take(Worth(work));

    /// <inheritdoc/>
    public void Dispose() => set_num_threads(_before);

    /// <summary>
    /// The number of threads that a step keeps at work; by its work and not by the clock, since the number decides how sums are rounded and
    /// must be the same each time.
    /// </summary>
    internal static int Worth(double work) => (int)Math.Clamp(work / WorkOfAThread, 1, 1024);

    private static ThreadShare? Take(int threads)
        => threads < get_num_threads() && Environment.GetEnvironmentVariable("OMP_NUM_THREADS") is not { Length: > 0 }
            ? new ThreadShare(threads) : null;

    /// <summary>The number of threads of one of several processes.</summary>
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
