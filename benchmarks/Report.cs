using System.Diagnostics;
using System.Globalization;

namespace Microsoft.ML.Distillation.Benchmarks;

/// <summary>Measures and prints.</summary>
internal static class Report
{
    /// <summary>The median time of an action after one run to warm up, in seconds.</summary>
    public static double MedianSeconds(Action action, int repeats)
    {
        action();
        var times = new double[repeats];
        for (int i = 0; i < repeats; i++)
        {
            long start = Stopwatch.GetTimestamp();
            action();
            times[i] = Stopwatch.GetElapsedTime(start).TotalSeconds;
        }

        Array.Sort(times);
        return times[repeats / 2];
    }

    /// <summary>The time of an action, in seconds.</summary>
    public static double Seconds(Action action)
    {
        long start = Stopwatch.GetTimestamp();
        action();
        return Stopwatch.GetElapsedTime(start).TotalSeconds;
    }

    /// <summary>Prints our time, and how many times longer the other takes.</summary>
    public static void Ratio(string name, double ours, double? theirs)
    {
        string other = theirs is double time ? string.Create(CultureInfo.InvariantCulture, $"{time * 1e3,10:0.000} ms   ratio {time / ours:0.00}") : "";
        Console.WriteLine(string.Create(CultureInfo.InvariantCulture, $"  {name,-66} {ours * 1e3,10:0.000} ms   {other}"));
    }

    /// <summary>Prints a time.</summary>
    public static void Time(string name, double seconds)
        => Console.WriteLine(string.Create(CultureInfo.InvariantCulture, $"{name}: {seconds:0.000} s"));
}
