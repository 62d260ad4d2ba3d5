using Microsoft.ML.Distillation.Detectors.Backbones;

namespace Microsoft.ML.Distillation.Detectors.Graphs;

/// <summary>A tensor of a graph as a feature map.</summary>
/// <param name="ChannelsLast">Whether it is [N,h,w,C] rather than [N,C,h,w].</param>
internal sealed record GraphMap(string Name, int Channels, int Height, int Width, int Stride, bool ChannelsLast)
{
    public FeatureMap Map => new(Name, Channels, Stride);

    /// <summary>What a tensor is as a map of an image; null where it is none.</summary>
    /// <param name="shape">The tensor's shape for one image.</param>
    public static GraphMap? Of(string name, long[] shape, int height, int width)
    {
        if (shape.Length != 4 || shape[0] != 1 || shape.Any(size => size < 1)) return null;
        return Of(name, shape[1], shape[2], shape[3], false) ?? Of(name, shape[3], shape[1], shape[2], true);

        GraphMap? Of(string name, long channels, long h, long w, bool last)
        {
            int stride = Step(height, h);
            if (h > height || w > width || stride != Step(width, w)) return null;

            // Rows and columns that lie beyond the last whole cell may count or not.
            return Math.Abs(h * stride - height) <= stride && Math.Abs(w * stride - width) <= stride
                ? new GraphMap(name, (int)channels, (int)h, (int)w, stride, last) : null;
        }
    }

    /// <summary>
    /// Pixels of the image for one cell: the power of two that gives so many cells, the last one perhaps not whole (240 pixels make 8
    /// cells of 32, not of 30); otherwise the exact ratio, or the nearest power of two.
    /// </summary>
    private static int Step(int pixels, long cells)
    {
        int power = 1 << (int)Math.Round(Math.Log2((double)pixels / cells));
        return (pixels + power - 1) / power == cells || pixels % cells != 0 ? power : (int)(pixels / cells);
    }
}
