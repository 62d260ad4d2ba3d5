using System.Diagnostics;

namespace Microsoft.ML.Distillation.Training;

/// <summary>Keeps the means of an epoch's losses and its speed, and makes progress reports of them.</summary>
internal sealed class EpochMeter(TrainingPlan plan, int epoch)
{
    private readonly Dictionary<string, double> _sums = [];
    private readonly long _started = Stopwatch.GetTimestamp();
    private int _steps;
    private int _images;

    /// <summary>Takes in a step.</summary>
    public void Add(IReadOnlyList<string> names, double[] losses, int images)
    {
        for (int i = 0; i < losses.Length; i++) _sums[names[i]] = _sums.GetValueOrDefault(names[i]) + losses[i];
        _steps++;
        _images += images;
    }

    /// <summary>The mean of each weighted term over the epoch so far.</summary>
    public Dictionary<string, double> Means() => _sums.ToDictionary(sum => sum.Key, sum => sum.Value / _steps);

    /// <summary>The report after a step.</summary>
    public TrainingProgress Progress(int step) => new()
    {
        Epoch = epoch,
        Epochs = plan.Epochs,
        Step = step,
        Steps = plan.Steps,
        LearningRate = plan.LearningRateAt(Math.Max(1, step)),
        Losses = Means(),
        ImagesPerSecond = _images / Stopwatch.GetElapsedTime(_started).TotalSeconds,
    };
}
