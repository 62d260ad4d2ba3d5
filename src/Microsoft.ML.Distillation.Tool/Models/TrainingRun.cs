namespace Microsoft.ML.Distillation.Tool.Models;

/// <summary>A training to do, alone or side by side with others.</summary>
/// <param name="Title">What to call it on the display.</param>
/// <param name="Path">The model to write.</param>
/// <param name="OptionsFor">Makes the options, which say where to report progress.</param>
internal sealed record TrainingRun(string Title, string Path, Func<IProgress<TrainingProgress>, DetectorEstimatorOptions> OptionsFor);
