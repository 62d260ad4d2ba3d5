namespace Microsoft.ML.Distillation.Tool.Display;

/// <summary>Says how far work on many things is, and how long it still takes: nothing of what is done in two seconds.</summary>
internal static class WorkProgress
{
    private static readonly TimeSpan First = TimeSpan.FromSeconds(2), Then = TimeSpan.FromSeconds(10);

    /// <summary>Passes things on and counts them.</summary>
    /// <param name="count">How many there are; <see langword="null"/> where that is not known before.</param>
    /// <param name="title">What is done with them.</param>
    /// <param name="what">What they are.</param>
    /// <param name="clock">Says the time.</param>
    public static IEnumerable<T> Over<T>(
        IEnumerable<T> things, int? count, string title, string what, TextWriter output, TimeProvider? clock = null)
    {
        clock ??= TimeProvider.System;
        long started = clock.GetTimestamp();
        TimeSpan due = First;
        int done = 0;
        foreach (T thing in things)
        {
            yield return thing;
            done++;
            TimeSpan gone = clock.GetElapsedTime(started);
            if (gone < due || done == count) continue;
            due = gone + Then;
            output.WriteLine(count is int all ? $"{title}: {done} of {all} {what}  {TimeLeft.Text(gone * ((double)(all - done) / done))}"
                : $"{title}: {done} {what} so far");
        }
    }
}
