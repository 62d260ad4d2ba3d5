using System.Diagnostics;
using System.Globalization;
using System.Text;

namespace Microsoft.ML.Distillation.Tests;

/// <summary>
/// Shows a reader bad files made of good ones: it reads them, or throws what it documents, within a second and 512 MB each. The seed is
/// fixed, so that a failure can be seen again.
/// </summary>
internal static class FuzzRun
{
    /// <summary>Mutations in the suite, of a text and of a model file.</summary>
    public const int TextCases = 2_000, ModelCases = 200;

    /// <summary>The variables that say how long explicit runs are: mutations of a text, minutes for a model file.</summary>
    public const string CasesVariable = "ML_DISTILLATION_FUZZ_CASES", MinutesVariable = "ML_DISTILLATION_FUZZ_MINUTES",
        SeedVariable = "ML_DISTILLATION_FUZZ_SEED";

    private const int UsualSeed = 4;
    private const long MostBytes = 512L << 20;
    private const int LongestMessage = 4000;
    private static readonly TimeSpan MostTime = TimeSpan.FromSeconds(1), Hangs = TimeSpan.FromMinutes(2);

    /// <summary>Mutations of a text in an explicit run.</summary>
    public static int ManyCases => (int)Number(CasesVariable, 100_000);

    /// <summary>How long an explicit run mutates a model file.</summary>
    public static TimeSpan LongTime => TimeSpan.FromMinutes(Number(MinutesVariable, 20));

    /// <summary>Runs a number of cases.</summary>
    /// <param name="seeds">The good files.</param>
    /// <param name="read">Reads a file.</param>
    /// <param name="isDocumented">Whether an exception is one that the reader documents.</param>
    /// <param name="leastAccepted">The share of cases that must be read: otherwise mutations are all of one kind and test nothing.</param>
    public static void Cases(int count, IReadOnlyList<byte[]> seeds, Action<byte[]> read, Func<Exception, bool> isDocumented,
        double leastAccepted = 0.01)
        => Run(i => i < count, seeds, read, isDocumented, leastAccepted);

    /// <summary>Runs as many cases as fit into a time.</summary>
    /// <inheritdoc cref="Cases"/>
    public static void For(TimeSpan time, IReadOnlyList<byte[]> seeds, Action<byte[]> read, Func<Exception, bool> isDocumented)
    {
        long started = Stopwatch.GetTimestamp();
        Run(_ => Stopwatch.GetElapsedTime(started) < time, seeds, read, isDocumented, leastAccepted: 0);
    }

    private static void Run(Func<int, bool> goesOn, IReadOnlyList<byte[]> seeds, Action<byte[]> read, Func<Exception, bool> isDocumented,
        double leastAccepted)
    {
        var mutator = new Mutator((int)Number(SeedVariable, UsualSeed), [.. seeds]);
        (int accepted, int rejected, int number) = (0, 0, 0);
        (TimeSpan longest, long largest) = (TimeSpan.Zero, 0);
        byte[] content = [];
        long started = Stopwatch.GetTimestamp();
        using var self = Process.GetCurrentProcess();
        long resident = Peak(self);
        Task worker = Task.Run(() =>
        {
            for (; goesOn(number); number++)
            {
                content = mutator.Next();
                Volatile.Write(ref started, Stopwatch.GetTimestamp());
                (bool isRead, TimeSpan time, long bytes) = One(content, read, isDocumented, number);
                // What else the machine does, and the garbage collector, may take the time of one attempt and of another.
                for (int again = 0; again < 4 && time > MostTime; again++)
                {
                    TimeSpan once = One(content, read, isDocumented, number).Time;
                    if (once < time) time = once;
                }

                if (time > MostTime || bytes > MostBytes) throw new InvalidOperationException(
                    $"Case {number} takes {time.TotalSeconds:0.00} s and {bytes >> 20} MB: {Shown(content)}");
                if (isRead) accepted++;
                else rejected++;
                (longest, largest) = (time > longest ? time : longest, Math.Max(largest, bytes));
                // Memory that is not .NET's.
                if (number % 64 == 0 && Peak(self) - resident > 4 * MostBytes) throw new InvalidOperationException(
                    $"About case {number} the process grew by {(Peak(self) - resident) >> 20} MB: {Shown(content)}");
            }
        });
        while (!worker.Wait(TimeSpan.FromSeconds(5)))
        {
            if (Stopwatch.GetElapsedTime(Volatile.Read(ref started)) > Hangs) Assert.Fail($"Case {number} hangs: {Shown(content)}");
        }

        TestContext.Out.WriteLine(string.Create(CultureInfo.InvariantCulture,
            $"{number} cases: {accepted} read, {rejected} refused; the longest {longest.TotalMilliseconds:0} ms, "
            + $"the largest {largest >> 20} MB"));
        Assert.That(accepted, Is.GreaterThanOrEqualTo((int)(leastAccepted * number)));
    }

    private static (bool IsRead, TimeSpan Time, long Bytes) One(byte[] content, Action<byte[]> read, Func<Exception, bool> isDocumented,
        int number)
    {
        long started = Stopwatch.GetTimestamp(), bytes = GC.GetAllocatedBytesForCurrentThread();
        bool isRead = true;
        try
        {
            read(content);
        }
        catch (Exception exception) when (isDocumented(exception))
        {
            isRead = false;
            if (exception.Message.Length > LongestMessage) throw new InvalidOperationException(
                $"Case {number}: a message of {exception.Message.Length} characters: {Shown(content)}", exception);
        }
        catch (Exception exception)
        {
            throw new InvalidOperationException($"Case {number}: {exception}\n{Shown(content)}", exception);
        }

        return (isRead, Stopwatch.GetElapsedTime(started), GC.GetAllocatedBytesForCurrentThread() - bytes);
    }

    private static long Peak(Process self)
    {
        self.Refresh();
        return self.PeakWorkingSet64;
    }

    private static double Number(string variable, double otherwise)
    {
        string? text = Environment.GetEnvironmentVariable(variable);
        return double.TryParse(text, CultureInfo.InvariantCulture, out double number) ? number : otherwise;
    }

    private static string Shown(byte[] content) => content.Length <= 3000
        ? $"{Encoding.Latin1.GetString(content)}\n{Convert.ToBase64String(content)}" : $"{content.Length} bytes";
}

/// <summary>A reader and the good files of which it is shown bad ones.</summary>
/// <param name="Name">What it is called in the list of tests.</param>
internal sealed record FuzzTarget(string Name, IReadOnlyList<byte[]> Seeds, Action<byte[]> Read, Func<Exception, bool> IsDocumented)
{
    /// <summary>The share of cases that must be read.</summary>
    public double LeastAccepted { get; init; } = 0.01;

    /// <summary>A target of text.</summary>
    public static FuzzTarget Of(string name, IReadOnlyList<string> seeds, Action<byte[]> read, Func<Exception, bool> isDocumented)
        => new(name, [.. seeds.Select(Encoding.UTF8.GetBytes)], read, isDocumented);

    /// <summary>Runs a number of cases.</summary>
    public void Run(int cases) => FuzzRun.Cases(cases, Seeds, Read, IsDocumented, LeastAccepted);

    /// <summary>Runs for a time.</summary>
    public void Run(TimeSpan time) => FuzzRun.For(time, Seeds, Read, IsDocumented);

    public override string ToString() => Name;
}
