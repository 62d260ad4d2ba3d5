namespace Microsoft.ML.Distillation.Tests.Training;

/// <summary>Hears of progress on the training thread.</summary>
internal sealed class Reports(Action<TrainingProgress>? onReport = null) : IProgress<TrainingProgress>
{
    public List<TrainingProgress> All { get; } = [];

    public void Report(TrainingProgress value)
    {
        All.Add(value);
        onReport?.Invoke(value);
    }
}
