using Microsoft.ML.Distillation.Detectors.Backbones;
using Microsoft.ML.Distillation.Images;

namespace Microsoft.ML.Distillation.Detectors;

/// <summary>
/// Holds the description of a network, which may come from anyone, to what can be and to the parameters that its file has, before a
/// network is made of it.
/// </summary>
internal static class DetectorDescription
{
    private const int LargestSide = 1 << 14, MostAnchorsOfACell = 1 << 10, MostAnchors = 10_000_000, LargestRank = 1 << 12;

    /// <summary>Values that a network may have beyond those that its file has for it: the bounds count roughly.</summary>
    private const double Spare = 1e6;

    /// <summary>Whether an error comes of what a file says, not of this machine.</summary>
    public static bool IsOfTheFile(Exception e)
        => e is ArgumentException or InvalidOperationException or KeyNotFoundException or IndexOutOfRangeException or OverflowException
            or InvalidCastException or System.Runtime.InteropServices.ExternalException;

    /// <summary>The configuration, if it can be.</summary>
    /// <exception cref="FormatException">It cannot.</exception>
    public static FasterRcnnConfig Checked(FasterRcnnConfig config, double mostValues)
    {
        CheckCommon(config.Backbone, config.InputSize, config.ClassNames, config.Ranks, mostValues);
        Require(config.OutputStride is >= 1 and <= BackboneGraph.LargestStride, nameof(config.OutputStride));
        Require(config.AnchorSizes is { Count: >= 1 and <= 8 } && config.AnchorSizes.All(AreLengths), nameof(config.AnchorSizes));
        Require(AreLengths(config.AnchorRatios), nameof(config.AnchorRatios));
        Require(config.AnchorSizes.Max(sizes => sizes.Count) * config.AnchorRatios.Count <= MostAnchorsOfACell, nameof(config.AnchorSizes));
        Require(config.HeadLayers is 1 or 2, nameof(config.HeadLayers));
        Require(config.RoiSize is >= 1 and <= 64, nameof(config.RoiSize));
        Require(config.HeadDropout is >= 0 and < 1, nameof(config.HeadDropout));
        Require(Enum.IsDefined(config.RoiPooling), nameof(config.RoiPooling));
        int[] counts =
        [
            config.RpnChannels, config.RpnBatchSize, config.TrainingProposalsBeforeNms, config.TrainingProposals,
            config.ProposalsBeforeNms, config.Proposals, config.RoiBatchSize, config.HeadWidth, config.SecondHeadWidth ?? 1,
            config.MaxDetections,
        ];
        Require(counts.All(count => count >= 1), "number");
        float[] shares =
            [config.RpnPositiveShare, config.RpnNmsThreshold, config.RoiPositiveShare, config.ScoreThreshold, config.NmsThreshold];
        Require(shares.All(share => share is >= 0 and <= 1), "share");
        return config;
    }

    /// <inheritdoc cref="Checked(FasterRcnnConfig, double)"/>
    public static OneStageConfig Checked(OneStageConfig config, double mostValues)
    {
        CheckCommon(config.Backbone, config.InputSize, config.ClassNames, config.Ranks, mostValues);
        new OneStageOptions
        {
            Neck = config.Neck,
            Channels = config.Channels,
            HeadLayers = config.HeadLayers,
            Bins = config.Bins,
            Strides = config.Strides ?? [],
            Assignment = config.Assignment,
            ScoreThreshold = config.ScoreThreshold,
            NmsThreshold = config.NmsThreshold,
            MaxDetections = config.MaxDetections,
        }.Validate();
        bool isWhole = config.Ranks.Count == 0;
        CheckSize((isWhole ? (double)config.Channels * config.Channels : 0)
            + (double)config.Channels * (config.ClassNames.Count + 4 * config.Bins), mostValues);
        return config;
    }

    /// <summary>Holds what stands behind a backbone to the parameters that there are.</summary>
    /// <param name="maps">The maps that the detector looks at.</param>
    /// <exception cref="FormatException">The description asks for more.</exception>
    public static void CheckSize(FasterRcnnConfig config, IReadOnlyList<FeatureMap> maps, double mostValues)
    {
        if (double.IsPositiveInfinity(mostValues)) return;
        double channels = config.Backbone.FpnChannels ?? maps[^1].Channels, values = 0;
        bool isWhole = config.Ranks.Count == 0;
        if (config.Backbone.FpnChannels is int width && isWhole)
            values += maps.Sum(map => map.Channels * (double)width + 9.0 * width * width);
        double perCell = config.AnchorSizes[0].Count * config.AnchorRatios.Count;
        values += (isWhole ? 9 * channels * config.RpnChannels : config.RpnChannels) + config.RpnChannels * perCell * 5;
        double from = channels * config.RoiSize * config.RoiSize;
        for (int i = 0; i < config.HeadWidths.Count; i++)
        {
            double to = config.HeadWidths[i];
            values += config.Ranks.TryGetValue(BoxHead.LayerName(i), out IReadOnlyList<int>? rank) ? rank[0] * (from + to) : from * to;
            from = to;
        }

        values += from * (config.ClassNames.Count + 1 + 4.0 * (config.ClassAgnosticBoxes ? 1 : config.ClassNames.Count));
        CheckSize(values, mostValues);
        double anchors = maps.Sum(map => (double)config.InputSize.Width / map.Stride * config.InputSize.Height / map.Stride) * perCell;
        Require(anchors <= MostAnchors, "number of anchors");
    }

    private static void CheckCommon(
        Backbone? backbone, ImageSize input, IReadOnlyList<string>? classNames, IReadOnlyDictionary<string, IReadOnlyList<int>>? ranks,
        double mostValues)
    {
        Require(classNames is { Count: > 0 } && classNames.All(name => name is not null), "list of class names");
        Require(input is { Width: >= 1 and <= LargestSide, Height: >= 1 and <= LargestSide }, "input size");
        Require(backbone is { Widths: not null } && Enum.IsDefined(backbone.Kind), "backbone");
        Require(backbone!.Kind == BackboneKind.Onnx == backbone.Graph is not null, "backbone");
        Require(backbone.Kind == BackboneKind.Plain == backbone.Widths!.Count > 0 && backbone.Widths.All(width => width >= 1), "backbone");
        try
        {
            backbone.Validate();
        }
        catch (ArgumentException e)
        {
            throw new FormatException($"The detector's description cannot be: {e.Message}", e);
        }

        Require(ranks is not null && ranks.Values.All(IsRank), nameof(FasterRcnnConfig.Ranks));
        CheckSize(ranks!.Values.Sum(rank => (double)rank[0]), mostValues);
        if (ranks.Count > 0) return;
        double values = 0, before = 3;
        foreach (int width in backbone.Widths)
        {
            values += 9 * before * width;
            before = width;
        }

        CheckSize(values, mostValues);
    }

    private static bool IsRank(IReadOnlyList<int>? rank)
        => rank is { Count: 1 or 2 } && rank.All(number => number is >= 1 and <= LargestRank);

    private static bool AreLengths(IReadOnlyList<float>? values)
        => values is { Count: > 0 } && values.All(value => float.IsFinite(value) && value > 0);

    private static void CheckSize(double values, double mostValues)
    {
        if (values > 2 * mostValues + Spare) throw new FormatException(FormattableString.Invariant(
            $"The detector's description asks for {values:0} parameters, and the file has {mostValues:0}."));
    }

    private static void Require(bool holds, string what)
    {
        if (!holds) throw new FormatException($"The detector's description cannot be: its {what} is out of range.");
    }
}
