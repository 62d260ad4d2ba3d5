using Microsoft.ML.Distillation.Data;
using Microsoft.ML.Distillation.Detectors.Backbones;
using Microsoft.ML.Distillation.Detectors.Weights;
using static TorchSharp.torch;

namespace Microsoft.ML.Distillation.Detectors;

/// <summary>Turns options and a look at the data into a configuration in which nothing is left open.</summary>
internal sealed record OneStagePlan(Backbone Backbone, InputPlan Input, OneStageOptions Options) : DetectorPlan
{
    /// <summary>The longer side of the input up to which a map of stride 4 costs little, and is worth most.</summary>
    private const int SmallInput = 192;

    private const int CoarsestStride = 128;

    /// <summary>The stride of the map of a network's stem.</summary>
    public const int StemStride = 4;

    /// <summary>Throws an <see cref="ArgumentException"/> that names the first setting that cannot be.</summary>
    public void Validate()
    {
        Backbone.Validate();
        Options.Validate();
        if (Backbone.FpnChannels is not null)
        {
            throw new ArgumentException(
                $"A one-stage detector has a pyramid of its own: set {nameof(OneStageOptions)}.{nameof(OneStageOptions.Channels)} in "
                    + $"place of {nameof(Backbone)}.{nameof(Backbone.FpnChannels)}.");
        }
    }

    internal override Backbone Network => Backbone;

    internal override Detector Build(DataStatistics data, StartingWeights? weights = null)
    {
        var detector = new OneStageDetector(Configure(data)) { Weights = weights?.Origin ?? Backbone.GraphOrigin };
        if (weights is null) return DetectorCompressor.Planned(detector, Backbone);
        const string Prefix = "backbone.";
        Dictionary<string, Tensor> parameters = detector.state_dict()
            .Where(e => e.Key.StartsWith(Prefix, StringComparison.Ordinal)).ToDictionary(e => e.Key[Prefix.Length..], e => e.Value);
        BackboneParameters.Load(Backbone, weights, parameters);
        return DetectorCompressor.Planned(detector, Backbone);
    }

    /// <summary>The configuration for data of this kind.</summary>
    public OneStageConfig Configure(DataStatistics data)
    {
        (float width, float height) = Input.Wanted(data);
        IReadOnlyList<int> strides = Strides(data, width, height);
        int cell = Math.Min(32, strides[^1]);
        return new OneStageConfig
        {
            Backbone = Backbone,
            InputSize = Input.Rounded(data, cell),
            ClassNames = [.. data.ClassNames],
            Strides = strides,
            Neck = Options.Neck,
            Channels = Options.Channels,
            Separable = Options.Separable,
            HeadLayers = Options.HeadLayers,
            Bins = Options.Bins,
            Assignment = Options.Assignment,
            ScoreThreshold = Options.ScoreThreshold,
            NmsThreshold = Options.NmsThreshold,
            MaxDetections = Options.MaxDetections,
        };
    }

    private int[] Strides(DataStatistics data, float width, float height)
    {
        using BackboneNetwork network = BackboneNetwork.Create(
            Backbone, Backbone.LargestStride, input: Input.Rounded(data, InputPlan.Least), givesStem: true);
        int[] made = [.. network.Maps.Select(map => map.Stride).Where(stride => stride >= 4).Distinct()];
        if (made.Length == 0) throw new ArgumentException("A one-stage detector needs a backbone with a map of stride 4 or more.");
        if (Options.Strides is { } wanted)
        {
            if (made.Contains(wanted[0])) return [.. wanted];
            throw new ArgumentException(
                $"{nameof(OneStageOptions)}.{nameof(OneStageOptions.Strides)} begins with {wanted[0]}, and the backbone has maps of "
                    + $"stride {string.Join(", ", made)}.");
        }

        float[] sides = [.. data.BoxWidths.Zip(data.BoxHeights, (w, h) => MathF.Max(w * width, h * height))];
        int finest = Math.Max(width, height) <= SmallInput ? StemStride : 2 * StemStride;
        int first = made.Where(stride => stride >= finest).DefaultIfEmpty(made[^1]).First();
        int last = made[^1];
        while ((Options.Bins - 1) * last < (Quantile(sides, 0.9f) ?? 0) && last < CoarsestStride) last *= 2;
        var strides = new List<int>();
        for (int stride = first; stride <= last; stride *= 2) strides.Add(stride);
        return [.. strides];
    }

    private static float? Quantile(float[] values, float share)
    {
        if (values.Length == 0) return null;
        float[] sorted = [.. values.Order()];
        return sorted[Math.Min(sorted.Length - 1, (int)(share * sorted.Length))];
    }
}
