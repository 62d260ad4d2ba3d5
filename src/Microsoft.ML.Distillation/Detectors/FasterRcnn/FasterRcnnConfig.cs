using System.Text.Json;
using System.Text.Json.Serialization;
using Microsoft.ML.Distillation.Images;

namespace Microsoft.ML.Distillation.Detectors;

/// <summary>Everything that defines a Faster R-CNN but its weights: <see cref="FasterRcnnOptions"/> with nothing left open.</summary>
internal sealed record FasterRcnnConfig
{
    /// <summary>The name of the family in a detector's description.</summary>
    public const string Family = "FasterRcnn";

    public required Backbone Backbone { get; init; }

    /// <summary>The largest stride of the backbone's maps.</summary>
    public required int OutputStride { get; init; }

    public required ImageSize InputSize { get; init; }

    public required IReadOnlyList<string> ClassNames { get; init; }

    /// <summary>For each map that the RPN looks at, finest first, the anchor sizes in pixels.</summary>
    public required IReadOnlyList<IReadOnlyList<float>> AnchorSizes { get; init; }

    /// <summary>Height over width.</summary>
    public required IReadOnlyList<float> AnchorRatios { get; init; }

    public required int RpnChannels { get; init; }

    public int RpnBatchSize { get; init; } = 256;

    public float RpnPositiveShare { get; init; } = 0.5f;

    public int TrainingProposalsBeforeNms { get; init; } = 2000;

    public int TrainingProposals { get; init; } = 1000;

    public int ProposalsBeforeNms { get; init; } = 1000;

    public int Proposals { get; init; } = 1000;

    public float RpnNmsThreshold { get; init; } = 0.7f;

    public int RoiBatchSize { get; init; } = 512;

    public float RoiPositiveShare { get; init; } = 0.25f;

    public int RoiSize { get; init; } = 7;

    public RoiPoolingKind RoiPooling { get; init; }

    /// <summary>Whether RoIAlign takes pixel centres at half-integers.</summary>
    public bool AlignedRois { get; init; } = true;

    public required int HeadWidth { get; init; }

    public int HeadLayers { get; init; } = 1;

    /// <summary>The width of the second layer; null where it is that of the first.</summary>
    public int? SecondHeadWidth { get; init; }

    /// <summary>The widths of the head's layers.</summary>
    [JsonIgnore]
    public IReadOnlyList<int> HeadWidths => HeadLayers == 1 ? [HeadWidth] : [HeadWidth, SecondHeadWidth ?? HeadWidth];

    /// <summary>The share of the values of the head's layers that is dropped in training.</summary>
    public float HeadDropout { get; init; }

    /// <summary>
    /// The layers that are in parts, by their names in the state dict, with the channels in the middle (see
    /// <see cref="CompressionOptions.Ranks"/>).
    /// </summary>
    public IReadOnlyDictionary<string, IReadOnlyList<int>> Ranks { get; init; } = new Dictionary<string, IReadOnlyList<int>>();

    public bool ClassAgnosticBoxes { get; init; } = true;

    public float ScoreThreshold { get; init; } = 0.05f;

    public float NmsThreshold { get; init; } = 0.5f;

    public int MaxDetections { get; init; } = 100;

    /// <summary>The same network without a choice among its boxes: it gives all those that the usual one chooses from.</summary>
    [JsonIgnore]
    public FasterRcnnConfig Unselective => this with
    {
        // Twice as many anchors: those at the cut may be all but equal.
        ProposalsBeforeNms = 2 * ProposalsBeforeNms,
        Proposals = int.MaxValue,
        RpnNmsThreshold = 1,
        ScoreThreshold = ScoreThreshold / 2,
        NmsThreshold = 1,
        MaxDetections = int.MaxValue,
    };

    /// <summary>The configuration as JSON, under the name of the family.</summary>
    public string ToJson() => ConfigJson.Write(Family, this);

    /// <summary>Reads what is under the family's name in <see cref="ToJson"/>.</summary>
    /// <exception cref="FormatException">A part is missing or of the wrong kind.</exception>
    public static FasterRcnnConfig FromJson(JsonElement json) => ConfigJson.Read<FasterRcnnConfig>(json);
}
