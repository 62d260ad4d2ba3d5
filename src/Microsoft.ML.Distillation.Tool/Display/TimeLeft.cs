using System.Globalization;
using Spectre.Console;
using Spectre.Console.Rendering;

namespace Microsoft.ML.Distillation.Tool.Display;

/// <summary>How long something will still take, in words: no more exact than an estimate is.</summary>
internal static class TimeLeft
{
    /// <summary>The words.</summary>
    /// <param name="left">The estimate; <see langword="null"/> where there is none yet.</param>
    /// <param name="isDone">Whether nothing is left to do.</param>
    public static string Text(TimeSpan? left, bool isDone = false) => (left, isDone) switch
    {
        (_, true) => "done",
        (null, _) => "",
        ({ TotalSeconds: < 55 }, _) => "less than a minute left",
        ({ TotalMinutes: < 59.5 } time, _) => Say($"about {time.TotalMinutes:0} min left"),
        ({ TotalHours: < 10 } time, _) => Hours((int)Math.Round(time.TotalMinutes / 10)),
        ({ TotalHours: < 48 } time, _) => Say($"about {time.TotalHours:0} h left"),
        ({ } time, _) => Say($"about {time.TotalDays:0} days left"),
    };

    private static string Hours(int tensOfMinutes) => tensOfMinutes % 6 == 0
        ? Say($"about {tensOfMinutes / 6} h left")
        : Say($"about {tensOfMinutes / 6} h {tensOfMinutes % 6}0 min left");

    private static string Say(FormattableString text) => text.ToString(CultureInfo.InvariantCulture);
}

/// <summary>Estimates from the steps done so far how long the others take.</summary>
internal sealed class StepClock(TimeProvider? time = null)
{
    private readonly TimeProvider _time = time ?? TimeProvider.System;
    private long _started;
    private int _first = -1;

    /// <summary>The time left in words after so many steps. The first call counts as the start: a run may go on from a
    /// checkpoint.</summary>
    public string After(int step, int steps)
    {
        if (_first < 0) (_started, _first) = (_time.GetTimestamp(), step);
        TimeSpan? left = step > _first ? _time.GetElapsedTime(_started) * ((double)(steps - step) / (step - _first)) : null;
        return TimeLeft.Text(left, step >= steps);
    }
}

/// <summary>The same beside a bar on a terminal.</summary>
internal sealed class TimeLeftColumn : ProgressColumn
{
    /// <inheritdoc/>
    public override IRenderable Render(RenderOptions options, ProgressTask task, TimeSpan deltaTime)
        => new Text(TimeLeft.Text(task.RemainingTime, task.IsFinished));
}
