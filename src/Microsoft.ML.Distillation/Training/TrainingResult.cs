using Microsoft.ML.Distillation.Detectors;

namespace Microsoft.ML.Distillation.Training;

/// <summary>A finished training.</summary>
/// <param name="Detector">The trained detector, in evaluation mode: the best on the validation set, or without one the last.</param>
/// <param name="History">The epochs that were completed.</param>
/// <param name="BestAp">The detector's AP on the validation set, where there is one.</param>
/// <param name="Cancelled">Whether training was ended before its time.</param>
internal sealed record TrainingResult(Detector Detector, IReadOnlyList<EpochSummary> History, double? BestAp, bool Cancelled);

/// <summary>What an epoch came to.</summary>
/// <param name="Epoch">The number of the epoch, from 1.</param>
/// <param name="Losses">The weighted terms of the loss by name, means over the epoch's steps.</param>
/// <param name="ValidationAp">AP on the validation set, 0 to 1, where the epoch was validated.</param>
/// <param name="ValidationAp50">AP at IoU 0.50, likewise.</param>
internal sealed record EpochSummary(
    int Epoch, IReadOnlyDictionary<string, double> Losses, double? ValidationAp, double? ValidationAp50)
{
    /// <summary>The total loss.</summary>
    public double Loss => Losses.Values.Sum();
}
