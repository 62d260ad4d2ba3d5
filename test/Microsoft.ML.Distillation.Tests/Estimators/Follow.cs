namespace Microsoft.ML.Distillation.Tests.Estimators;

/// <summary>Tells of each step at once, on training's own thread; <see cref="Progress{T}"/> tells later.</summary>
internal sealed class Follow(Action<TrainingProgress> report) : IProgress<TrainingProgress>
{
    public void Report(TrainingProgress value) => report(value);
}
