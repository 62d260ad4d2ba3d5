using System.Globalization;

namespace Microsoft.ML.Distillation.Rows;

/// <summary>Says how far looking at many images has come, and how long it takes: nothing where that is less than two seconds.</summary>
/// <param name="say">Receives the lines.</param>
/// <param name="data">Of what the images are.</param>
/// <param name="total">Their number, where it is known.</param>
/// <param name="time">Says the time.</param>
internal sealed class ReadingClock(Action<string>? say, string data, long? total, TimeProvider? time = null)
{
    private static readonly TimeSpan First = TimeSpan.FromSeconds(2), Then = TimeSpan.FromSeconds(10);

    private readonly TimeProvider _time = time ?? TimeProvider.System;
    private readonly long _started = (time ?? TimeProvider.System).GetTimestamp();
    private readonly Lock _lock = new();
    private TimeSpan _due = First;
    private long _done;

    /// <summary>One more is looked at; from any thread.</summary>
    public void Tick()
    {
        if (say is null) return;
        lock (_lock) At(_done + 1);
    }

    /// <summary>So many are looked at.</summary>
    public void At(long done)
    {
        _done = done;
        TimeSpan gone = _time.GetElapsedTime(_started);
        if (say is null || gone < _due || done == total) return;
        _due = gone + Then;
        say(string.Create(CultureInfo.InvariantCulture, $"Looked at {done:N0}{Of} images of {data}{Left(done, gone)}"));
    }

    private string Of => total is { } count ? string.Create(CultureInfo.InvariantCulture, $" of {count:N0}") : "";

    private string Left(long done, TimeSpan gone)
    {
        if (total is not { } count || done == 0) return "";
        double minutes = (gone * ((double)(count - done) / done)).TotalMinutes;
        return minutes < 1 ? ", less than a minute left" : string.Create(CultureInfo.InvariantCulture, $", about {minutes:0} min left");
    }
}
