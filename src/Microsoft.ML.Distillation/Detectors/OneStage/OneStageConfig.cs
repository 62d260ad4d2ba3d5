using System.Text.Json;
using System.Text.Json.Serialization;
using Microsoft.ML.Distillation.Images;
using Microsoft.ML.Distillation.Model;

namespace Microsoft.ML.Distillation.Detectors;

/// <summary>Everything that defines a one-stage detector but its weights: <see cref="OneStageOptions"/> with nothing left open.</summary>
internal sealed record OneStageConfig
{
    /// <summary>The name of the family in a detector's description.</summary>
    public const string Family = "OneStage";

    public required Backbone Backbone { get; init; }

    public required ImageSize InputSize { get; init; }

    public required IReadOnlyList<string> ClassNames { get; init; }

    /// <summary>Of each map that predicts, finest first, each twice the one before.</summary>
    public required IReadOnlyList<int> Strides { get; init; }

    public OneStageNeck Neck { get; init; } = OneStageNeck.Pan;

    public required int Channels { get; init; }

    public bool Separable { get; init; } = true;

    public int HeadLayers { get; init; } = 2;

    public int Bins { get; init; } = 8;

    /// <inheritdoc cref="ICompressible{T}.Ranks"/>
    public IReadOnlyDictionary<string, IReadOnlyList<int>> Ranks { get; init; } = new Dictionary<string, IReadOnlyList<int>>();

    /// <summary>Matters in training only.</summary>
    public OneStageAssignment Assignment { get; init; }

    public float ScoreThreshold { get; init; } = 0.05f;

    public float NmsThreshold { get; init; } = 0.6f;

    public int MaxDetections { get; init; } = 100;

    /// <summary>How detections are chosen.</summary>
    [JsonIgnore]
    public DenseSelection Selection => new(ScoreThreshold, NmsThreshold, MaxDetections);

    /// <inheritdoc cref="FasterRcnnConfig.Unselective"/>
    [JsonIgnore]
    public OneStageConfig Unselective => this with { ScoreThreshold = ScoreThreshold / 2, NmsThreshold = 1, MaxDetections = int.MaxValue };

    /// <summary>The configuration as JSON, under the name of the family.</summary>
    public string ToJson() => ConfigJson.Write(Family, this);

    /// <summary>Reads what is under the family's name in <see cref="ToJson"/>.</summary>
    /// <exception cref="FormatException">A part is missing or of the wrong kind.</exception>
    public static OneStageConfig FromJson(JsonElement json) => ConfigJson.Read<OneStageConfig>(json);
}
