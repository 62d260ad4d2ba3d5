using System.Diagnostics;

namespace Microsoft.ML.Distillation.Tool.Display;

/// <summary>Says how far work on many things is, and how long it still takes: nothing of what is done in two seconds.</summary>
internal static class WorkProgress
{
    private static readonly TimeSpan First = TimeSpan.FromSeconds(2), Then = TimeSpan.FromSeconds(10);

    /// <summary>Passes things on and counts them.</summary>
    /// <param name="count">How many there are.</param>
    /// <param name="title">What is done with them.</param>
    /// <param name="what">What they are.</param>
    public static IEnumerable<T> Over<T>(IEnumerable<T> things, int count, string title, string what, TextWriter output)
    {
        long started = Stopwatch.GetTimestamp();
        TimeSpan due = First;
        int done = 0;
        foreach (T thing in things)
        {
            yield return thing;
            done++;
            TimeSpan gone = Stopwatch.GetElapsedTime(started);
            if (gone < due || done == count) continue;
            due = gone + Then;
            output.WriteLine($"{title}: {done} of {count} {what}  {TimeLeft.Text(gone * ((double)(count - done) / done))}");
        }
    }
}
