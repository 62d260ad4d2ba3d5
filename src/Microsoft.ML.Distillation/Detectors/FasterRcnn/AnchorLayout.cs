using Microsoft.ML.Distillation.Detectors.Backbones;
using Microsoft.ML.Distillation.Detectors.Boxes;

namespace Microsoft.ML.Distillation.Detectors;

/// <summary>The anchors of all maps in one row.</summary>
internal static class AnchorLayout
{
    /// <summary>The anchors (4 values each, in pixels), where each map's start and how many they are, and how many a cell has.</summary>
    public static (float[] Anchors, List<(int Start, int Count)> Ranges, int PerCell) Of(FasterRcnnConfig config, IReadOnlyList<FeatureMap> maps)
    {
        if (config.AnchorSizes.Count != maps.Count || config.AnchorSizes.Any(s => s.Count != config.AnchorSizes[0].Count))
            throw new ArgumentException($"There must be anchor sizes for each of the {maps.Count} maps, equally many for each.", nameof(config));

        var anchors = new List<float>();
        var ranges = new List<(int, int)>();
        for (int i = 0; i < maps.Count; i++)
        {
            var grid = new AnchorGrid(config.AnchorSizes[i], config.AnchorRatios);
            (int columns, int rows) = (Cells(config.InputSize.Width, maps[i].Stride), Cells(config.InputSize.Height, maps[i].Stride));
            float[] level = grid.Generate(columns, rows, config.InputSize.Width / columns, config.InputSize.Height / rows);
            ranges.Add((anchors.Count / 4, level.Length / 4));
            anchors.AddRange(level);
        }

        return ([.. anchors], ranges, config.AnchorSizes[0].Count * config.AnchorRatios.Count);
    }

    /// <summary>Every halving rounds up, as padded convolutions of stride 2 do.</summary>
    private static int Cells(int pixels, int stride)
    {
        for (; stride > 1; stride /= 2) pixels = (pixels + 1) / 2;
        return pixels;
    }
}
