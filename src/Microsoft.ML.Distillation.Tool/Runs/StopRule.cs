using System.Diagnostics;
using System.Globalization;

namespace Microsoft.ML.Distillation.Tool.Runs;

/// <summary>
/// Ends trainings before their last epoch: when none of the students that learn side by side has got better for a number of epochs, or when
/// time is up. The best model is kept, as after Ctrl-C.
/// </summary>
/// <param name="patience">After how many epochs without a better AP; <see langword="null"/>: never.</param>
/// <param name="hours">After how many hours; <see langword="null"/>: never.</param>
internal sealed class StopRule(int? patience, double? hours) : IDisposable
{
    private readonly CancellationTokenSource _source = new();
    private readonly long _started = Stopwatch.GetTimestamp();
    private readonly List<Watcher> _watchers = [];

    /// <summary>Is cancelled when training is to end.</summary>
    public CancellationToken Token => _source.Token;

    /// <summary>Why it ended; <see langword="null"/> where it did not.</summary>
    public string? Reason { get; private set; }

    /// <summary>Watches a student's training, and tells the next of it.</summary>
    public IProgress<TrainingProgress> Watch(IProgress<TrainingProgress> next)
    {
        var watcher = new Watcher(this, next);
        _watchers.Add(watcher);
        return watcher;
    }

    /// <inheritdoc/>
    public void Dispose() => _source.Dispose();

    private void Look(TrainingProgress value)
    {
        if (Reason is not null || value.Step >= value.Steps) return;
        if (hours is { } most && Stopwatch.GetElapsedTime(_started).TotalHours >= most)
            Stop(string.Create(CultureInfo.InvariantCulture,
                $"stopped in epoch {value.Epoch} of {value.Epochs}: --max-hours {most} are over"));
        else if (patience is { } epochs && value.EpochEnd && _watchers.TrueForAll(watcher => watcher.Idle >= epochs))
            Stop($"stopped after epoch {value.Epoch} of {value.Epochs}: no better AP for {epochs} (--patience)");
    }

    private void Stop(string reason)
    {
        Reason = reason;
        _source.Cancel();
    }

    private sealed class Watcher(StopRule rule, IProgress<TrainingProgress> next) : IProgress<TrainingProgress>
    {
        private double _best = double.NegativeInfinity;

        /// <summary>How many epochs have gone by since the best.</summary>
        public int Idle { get; private set; }

        public void Report(TrainingProgress value)
        {
            next.Report(value);
            if (value.EpochEnd) Idle = value.ValidationAveragePrecision > _best ? 0 : Idle + 1;
            _best = Math.Max(_best, value.ValidationAveragePrecision ?? _best);
            rule.Look(value);
        }
    }
}
