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
        return Laid(shape[1], shape[2], shape[3], false) ?? Laid(shape[3], shape[1], shape[2], true);

        GraphMap? Laid(long channels, long h, long w, bool last)
        {
            if (h > height || w > width) return null;

            // A power of two, or what divides both sides. Pixels beyond the last whole cell may have one or not.
            foreach (long stride in (long[])[1L << (int)Math.Round(Math.Log2((double)width / w)), width / w, height / h])
            {
                if (stride > 0 && Math.Abs(h * stride - height) <= stride && Math.Abs(w * stride - width) <= stride)
                    return new GraphMap(name, (int)channels, (int)h, (int)w, (int)stride, last);
            }

            return null;
        }
    }
}
