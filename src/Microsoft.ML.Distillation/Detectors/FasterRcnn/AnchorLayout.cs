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
            throw new ArgumentException($"There must be anchor sizes for each of the {maps.Count} maps, equally many for each.",
                nameof(config));

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

/// <summary>Chooses anchors that fit the boxes of a data set.</summary>
internal static class AnchorShapes
{
    private const float Smallest = 4;

    /// <summary>Anchor sizes in pixels, ascending, by k-means on the logarithms of the boxes' sizes.</summary>
    /// <param name="boxSizes">The square roots of the boxes' areas, in pixels of the input.</param>
    public static float[] Sizes(ReadOnlySpan<float> boxSizes, int count)
    {
        var logs = new List<double>(boxSizes.Length);
        foreach (float size in boxSizes)
        {
            if (size > 0 && float.IsFinite(size)) logs.Add(Math.Log(Math.Max(size, Smallest)));
        }

        if (logs.Count == 0) logs.AddRange([Math.Log(16), Math.Log(128)]);
        logs.Sort();
        double[] centres = KMeans(logs, count);
        return Array.ConvertAll(Spread(centres), c => MathF.Round((float)Math.Exp(c)));
    }

    /// <summary>Height over width: 1 alone where boxes are nearly square, otherwise ½, 1 and 2.</summary>
    public static IReadOnlyList<float> Ratios(ReadOnlySpan<float> widths, ReadOnlySpan<float> heights)
    {
        var elongation = new List<float>(widths.Length);
        for (int i = 0; i < widths.Length; i++)
        {
            if (widths[i] > 0 && heights[i] > 0) elongation.Add(MathF.Max(widths[i] / heights[i], heights[i] / widths[i]));
        }

        elongation.Sort();
        bool square = elongation.Count > 0 && elongation[elongation.Count / 2] < 1.5f;
        return square ? [1f] : [0.5f, 1f, 2f];
    }

    /// <summary>Lloyd's algorithm in one dimension, from the quantiles on; the values are sorted.</summary>
    private static double[] KMeans(List<double> sorted, int count)
    {
        var centres = new double[count];
        for (int k = 0; k < count; k++) centres[k] = sorted[(int)((k + 0.5) * sorted.Count / count)];
        for (int round = 0; round < 50; round++)
        {
            int from = 0;
            double moved = 0;
            for (int k = 0; k < count; k++)
            {
                double border = k + 1 < count ? (centres[k] + centres[k + 1]) / 2 : double.PositiveInfinity;
                int to = from;
                double sum = 0;
                while (to < sorted.Count && sorted[to] <= border) sum += sorted[to++];
                if (to > from)
                {
                    moved += Math.Abs(centres[k] - sum / (to - from));
                    centres[k] = sum / (to - from);
                }

                from = to;
            }

            if (moved < 1e-6) break;
        }

        Array.Sort(centres);
        return centres;
    }

    /// <summary>Moves centres that lie closer than a fifth of a size apart, so that no two anchors are the same.</summary>
    private static double[] Spread(double[] centres)
    {
        double apart = Math.Log(1.2);
        for (int round = 0; round < 100; round++)
        {
            bool moved = false;
            for (int k = 1; k < centres.Length; k++)
            {
                double missing = apart - (centres[k] - centres[k - 1]);
                if (missing < 1e-9) continue;
                centres[k - 1] -= missing / 2;
                centres[k] += missing / 2;
                moved = true;
            }

            if (!moved) break;
        }

        double below = Math.Log(Smallest) - centres[0];
        return below > 0 ? Array.ConvertAll(centres, c => c + below) : centres;
    }
}
