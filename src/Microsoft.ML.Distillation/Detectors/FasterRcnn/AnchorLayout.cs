using Microsoft.ML.Distillation.Detectors.Backbones;
using Microsoft.ML.Distillation.Detectors.Boxes;

namespace Microsoft.ML.Distillation.Detectors;

/// <summary>The anchors of one map.</summary>
/// <param name="Start">Where they start in the row of all anchors.</param>
/// <param name="StrideX">Pixels of the input from one cell to the next.</param>
internal sealed record AnchorLevel(AnchorGrid Grid, int Columns, int Rows, int StrideX, int StrideY, int Start)
{
    /// <summary>The number of anchors.</summary>
    public int Count => Columns * Rows * Grid.PerCell;
}

/// <summary>The anchors of all maps in one row, those of the finest map first.</summary>
internal sealed class AnchorLayout
{
    /// <param name="maps">The maps that the RPN looks at, finest first.</param>
    public AnchorLayout(FasterRcnnConfig config, IReadOnlyList<FeatureMap> maps)
    {
        if (config.AnchorSizes.Count != maps.Count || config.AnchorSizes.Any(s => s.Count != config.AnchorSizes[0].Count))
            throw new ArgumentException($"There must be anchor sizes for each of the {maps.Count} maps, equally many for each.", nameof(config));

        var levels = new List<AnchorLevel>();
        var anchors = new List<float>();
        for (int i = 0; i < maps.Count; i++)
        {
            var grid = new AnchorGrid(config.AnchorSizes[i], config.AnchorRatios);
            (int columns, int rows) = (Cells(config.InputSize.Width, maps[i].Stride), Cells(config.InputSize.Height, maps[i].Stride));
            (int strideX, int strideY) = (config.InputSize.Width / columns, config.InputSize.Height / rows);
            levels.Add(new AnchorLevel(grid, columns, rows, strideX, strideY, anchors.Count / 4));
            anchors.AddRange(grid.Generate(columns, rows, strideX, strideY));
        }

        Levels = levels;
        Boxes = [.. anchors];
    }

    /// <summary>The anchors of each map.</summary>
    public IReadOnlyList<AnchorLevel> Levels { get; }

    /// <summary>All anchors, 4 values each, in pixels.</summary>
    public float[] Boxes { get; }

    /// <summary>Every halving rounds up, as padded convolutions of stride 2 do.</summary>
    private static int Cells(int pixels, int stride)
    {
        for (; stride > 1; stride /= 2) pixels = (pixels + 1) / 2;
        return pixels;
    }
}
