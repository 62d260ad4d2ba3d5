using Microsoft.ML.Distillation.Data;
using Microsoft.ML.Distillation.Detectors.Backbones;
using Microsoft.ML.Distillation.Detectors.Weights;
using Microsoft.ML.Distillation.Images;
using static TorchSharp.torch;

namespace Microsoft.ML.Distillation.Detectors;

/// <summary>Turns options and a look at the data into a configuration in which nothing is left open.</summary>
internal sealed record FasterRcnnPlan(Backbone Backbone, InputPlan Input, FasterRcnnOptions Options) : DetectorPlan
{
    private const int SizesPerMap = 3;

    /// <summary>That of AlexNet and the VGGs in their own training.</summary>
    private const float ClassicDropout = 0.5f;

    /// <summary>Throws an <see cref="ArgumentException"/> that names the first setting that cannot be.</summary>
    public void Validate()
    {
        Backbone.Validate();
        Options.Validate();
        if (Options.SecondHeadWidth is null || HeadLayers(ClassicShape.Of(Backbone.Kind)) == 2) return;
        throw new ArgumentException(
            $"{nameof(FasterRcnnOptions)}.{nameof(FasterRcnnOptions.SecondHeadWidth)} is of a second layer: set "
                + $"{nameof(FasterRcnnOptions.HeadLayers)} to 2.");
    }

    internal override Backbone Network => Backbone;

    internal override Detector Build(DataStatistics data, StartingWeights? weights = null)
    {
        var detector = new FasterRcnn(Configure(data)) { Weights = weights?.Origin ?? Backbone.GraphOrigin };
        if (weights is not null) BackboneParameters.Load(Backbone, weights, Parameters(detector));
        return DetectorCompressor.Planned(detector, Backbone);
    }

    /// <summary>The configuration for data of this kind.</summary>
    public FasterRcnnConfig Configure(DataStatistics data)
    {
        (float width, float height) = Input.Wanted(data);
        float[] boxWidths = Array.ConvertAll(data.BoxWidths, w => w * width);
        float[] boxHeights = Array.ConvertAll(data.BoxHeights, h => h * height);
        float[] sizes = [.. boxWidths.Zip(boxHeights, (w, h) => MathF.Sqrt(w * h))];

        var classic = ClassicShape.Of(Backbone.Kind);
        int stride = Backbone.OutputStride
            ?? (classic is null && Backbone.FpnChannels is null ? StrideFor(SmallestAnchor(sizes)) : Backbone.LargestStride);
        using BackboneNetwork network = BackboneNetwork.Create(Backbone, stride, input: Input.Rounded(data, InputPlan.Least));
        IReadOnlyList<int> levels = BackboneNetwork.Levels(Backbone, network.Maps);
        int cell = network.Maps[levels[^1]].Stride;
        int channels = Backbone.FpnChannels ?? network.Maps[levels[^1]].Channels;
        ImageSize input = Input.Rounded(data, cell);
        int longer = Math.Max(input.Width, input.Height);
        int proposals = longer <= 256 ? 150 : longer <= 512 ? 300 : 1000;

        return new FasterRcnnConfig
        {
            Backbone = Backbone,
            OutputStride = stride,
            InputSize = input,
            ClassNames = [.. data.ClassNames],
            AnchorSizes = SizesByLevel(sizes, levels.Count),
            AnchorRatios = Options.AnchorRatios ?? AnchorShapes.Ratios(boxWidths, boxHeights),
            RpnChannels = Options.RpnChannels ?? Math.Min(channels, 256),
            RpnBatchSize = Options.RpnBatchSize ?? (longer <= 256 ? 128 : 256),
            TrainingProposals = Options.TrainingProposals ?? proposals,
            TrainingProposalsBeforeNms = Options.ProposalsBeforeNms ?? 4 * (Options.TrainingProposals ?? proposals),
            Proposals = Options.Proposals ?? proposals,
            ProposalsBeforeNms = Options.ProposalsBeforeNms ?? 4 * (Options.Proposals ?? proposals),
            RpnNmsThreshold = Options.RpnNmsThreshold,
            RoiBatchSize = Options.RoiBatchSize ?? (longer <= 256 ? 64 : longer <= 512 ? 128 : 256),
            RoiPositiveShare = Options.RoiPositiveShare,
            RoiSize = Options.RoiSize ?? classic?.RegionSize ?? (longer <= 320 ? 5 : 7),
            RoiPooling = Options.RoiPooling,
            HeadWidth = Options.HeadWidth ?? classic?.HeadWidths[0] ?? Math.Clamp(channels / 2, 64, 512),
            HeadLayers = HeadLayers(classic),
            SecondHeadWidth = Options.SecondHeadWidth ?? (Options.HeadWidth is null ? classic?.HeadWidths[1] : null),
            HeadDropout = Options.HeadDropout ?? (classic is null ? 0 : ClassicDropout),
            ClassAgnosticBoxes = Options.ClassAgnosticBoxes,
            ScoreThreshold = Options.ScoreThreshold,
            NmsThreshold = Options.NmsThreshold,
            MaxDetections = Options.MaxDetections,
        };
    }

    /// <summary>
    /// The parameters and buffers that checkpoints of the backbone's family have, by the checkpoints' names: the backbone's, and of
    /// a classic network the head's too where it has the classic widths.
    /// </summary>
    public static IReadOnlyDictionary<string, Tensor> Parameters(FasterRcnn detector)
    {
        const string Prefix = "backbone.";
        Dictionary<string, Tensor> state = detector.state_dict();
        var parameters = state
            .Where(e => e.Key.StartsWith(Prefix, StringComparison.Ordinal))
            .ToDictionary(e => e.Key[Prefix.Length..], e => e.Value);
        FasterRcnnConfig config = detector.Config;
        if (ClassicShape.Of(config.Backbone.Kind) is not { } classic || !classic.HasHead(config)) return parameters;
        for (int i = 0; i < classic.HeadNames.Count; i++)
        {
            foreach (string part in (string[])["weight", "bias"]) parameters[$"{classic.HeadNames[i]}.{part}"] =
                state[$"head.fc{6 + i}.{part}"];
        }

        return parameters;
    }

    private int HeadLayers(ClassicShape? classic) => Options.HeadLayers ?? classic?.HeadWidths.Count ?? 1;

    private float SmallestAnchor(float[] sizes) => Options.AnchorSizes?.Min() ?? AnchorShapes.Sizes(sizes, SizesPerMap)[0];

    /// <summary>The largest stride, from 8 to 32, that is no larger than the smallest anchor.</summary>
    private static int StrideFor(float smallestAnchor) => smallestAnchor >= 32 ? 32 : smallestAnchor >= 16 ? 16 : 8;

    private IReadOnlyList<IReadOnlyList<float>> SizesByLevel(float[] boxSizes, int levels)
    {
        IReadOnlyList<float> sizes = Options.AnchorSizes ?? AnchorShapes.Sizes(boxSizes, SizesPerMap * levels);
        if (sizes.Count % levels != 0)
        {
            throw new ArgumentException(
                $"{nameof(FasterRcnnOptions)}.{nameof(FasterRcnnOptions.AnchorSizes)} has {sizes.Count} sizes, which cannot be cut into "
                    + $"equal parts for the {levels} maps of the feature pyramid.");
        }

        return [.. sizes.Chunk(sizes.Count / levels)];
    }
}
