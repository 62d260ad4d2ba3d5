namespace Microsoft.ML.Distillation;

/// <summary>How far training has come. Reported after every step, and once more after an epoch's validation.</summary>
public sealed record TrainingProgress
{
    /// <summary>The running epoch, from 1.</summary>
    public required int Epoch { get; init; }

    /// <summary>The number of epochs.</summary>
    public required int Epochs { get; init; }

    /// <summary>The number of steps made, over all epochs.</summary>
    public required int Step { get; init; }

    /// <summary>The number of steps over all epochs.</summary>
    public required int Steps { get; init; }

    /// <summary>The learning rate of the last step.</summary>
    public required double LearningRate { get; init; }

    /// <summary>The terms of the loss by name, weighted: they sum to <see cref="Loss"/>. Means over the epoch so far.</summary>
    public required IReadOnlyDictionary<string, double> Losses { get; init; }

    /// <summary>The total loss, the mean over the epoch so far.</summary>
    public double Loss => Losses.Values.Sum();

    /// <summary>Each term's share of the total, by name; they sum to 1. A hint above a third tends to drown the rest.</summary>
    public IReadOnlyDictionary<string, double> Shares =>
        Losses.ToDictionary(term => term.Key, term => Loss == 0 ? 0 : term.Value / Loss);

    /// <summary>The speed over the epoch so far.</summary>
    public required double ImagesPerSecond { get; init; }

    /// <summary>Whether this report closes the epoch.</summary>
    public bool EpochEnd { get; init; }

    /// <summary>COCO's AP (IoU 0.50 to 0.95) on the validation set, 0 to 1, where this report closes an epoch that was validated.</summary>
    public double? ValidationAveragePrecision { get; init; }

    /// <summary>AP at IoU 0.50 on the validation set, likewise.</summary>
    public double? ValidationAveragePrecision50 { get; init; }
}
