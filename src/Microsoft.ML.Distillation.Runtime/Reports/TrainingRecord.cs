using System.Text.Json;

namespace Microsoft.ML.Distillation.Reports;

/// <summary>The loss over a stretch of steps.</summary>
/// <param name="Step">The last step of the stretch.</param>
/// <param name="LearningRate">Its learning rate.</param>
/// <param name="Losses">The mean of each weighted term, in the order of <see cref="TrainingRecord.Terms"/>.</param>
internal sealed record LossPoint(int Step, double LearningRate, double[] Losses);

/// <summary>A validation during training.</summary>
internal sealed record ValidationPoint(int Step, int Epoch, double AveragePrecision, double AveragePrecision50);

/// <summary>What the training data were.</summary>
/// <param name="Name">Which part of them.</param>
/// <param name="MedianWidth">The median width of a box, as a share of its image.</param>
/// <param name="MedianHeight">The median height of a box, as a share of its image.</param>
internal sealed record DataSummary(string Name, int Images, int Objects, IReadOnlyList<string> Classes, double MedianWidth,
    double MedianHeight)
{
    /// <summary>The number of objects of each class, where it is known.</summary>
    public int[] ClassCounts { get; init; } = [];
}

/// <summary>
/// How a model was trained: enough to repeat it and to draw its course. It travels in the model's file, so that a report can be made
/// of a model that was loaded.
/// </summary>
internal sealed record TrainingRecord
{
    /// <summary>The key of the record in a model file's metadata.</summary>
    public const string Key = "ml-distillation.training";

    /// <summary>The names of the loss's terms.</summary>
    public required string[] Terms { get; init; }

    /// <summary>The loss over the steps.</summary>
    public required LossPoint[] Losses { get; init; }

    /// <summary>The validations.</summary>
    public required ValidationPoint[] Validations { get; init; }

    /// <summary>Every setting, also those that the data decided.</summary>
    public required Dictionary<string, string> Settings { get; init; }

    /// <summary>The data.</summary>
    public required DataSummary[] Data { get; init; }

    /// <summary>What it was trained with.</summary>
    public required Dictionary<string, string> Versions { get; init; }

    /// <summary>The record as JSON.</summary>
    public string ToJson() => JsonSerializer.Serialize(this);

    /// <summary>The record in a model's metadata; null where there is none, or one of another version.</summary>
    public static TrainingRecord? In(IReadOnlyDictionary<string, string> metadata)
    {
        try
        {
            return metadata.TryGetValue(Key, out string? json) ? JsonSerializer.Deserialize<TrainingRecord>(json) : null;
        }
        catch (JsonException)
        {
            return null;
        }
    }
}
