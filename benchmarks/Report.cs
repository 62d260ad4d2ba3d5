using System.Diagnostics;
using System.Globalization;

namespace Microsoft.ML.Distillation.Benchmarks;

/// <summary>Measures and prints.</summary>
internal static class Report
{
    /// <summary>The median time of an action after one run to warm up, in seconds.</summary>
    public static double MedianSeconds(Action action, int repeats) => MedianSeconds(repeats, action)[0];

    /// <summary>The same of several actions that take turns, so that what else the machine does falls on all alike.</summary>
    public static double[] MedianSeconds(int repeats, params Action[] actions)
    {
        foreach (Action action in actions) action();
        double[][] times = [.. actions.Select(_ => new double[repeats])];
        for (int i = 0; i < repeats; i++)
        {
            for (int k = 0; k < actions.Length; k++)
            {
                long start = Stopwatch.GetTimestamp();
                actions[k]();
                times[k][i] = Stopwatch.GetElapsedTime(start).TotalSeconds;
            }
        }

        foreach (double[] ofAction in times) Array.Sort(ofAction);
        return [.. times.Select(ofAction => ofAction[repeats / 2])];
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
        string other = theirs is double time
            ? string.Create(CultureInfo.InvariantCulture, $"{time * 1e3,10:0.000} ms   ratio {time / ours:0.00}") : "";
        Console.WriteLine(string.Create(CultureInfo.InvariantCulture, $"  {name,-66} {ours * 1e3,10:0.000} ms   {other}"));
    }

    /// <summary>Prints a time.</summary>
    public static void Time(string name, double seconds)
        => Console.WriteLine(string.Create(CultureInfo.InvariantCulture, $"{name}: {seconds:0.000} s"));
}
