using Microsoft.ML.Distillation.Detectors.Boxes;
using TorchSharp;
using static TorchSharp.torch;

namespace Microsoft.ML.Distillation.Detectors;

/// <summary>
/// RoIAlign over one map or a pyramid. In a pyramid each region is read from the map whose resolution suits its size:
/// level ⌊4 + log2(√area / 224)⌋, where level k has stride 2^k (Lin et al. 2017, equation 1; torchvision's LevelMapper).
/// </summary>
internal sealed class RegionPooling(RoiAlign align, IReadOnlyList<int> strides)
{
    /// <summary>Level 4 is for regions of this size, in pixels.</summary>
    public const float CanonicalSize = 224;

    /// <summary>The level of a region of <see cref="CanonicalSize"/>.</summary>
    public const int CanonicalLevel = 4;

    /// <summary>Keeps a size that is exactly a power of two on its level.</summary>
    public const float Epsilon = 1e-6f;

    /// <summary>The settings of the pooling itself.</summary>
    public RoiAlign Align => align;

    /// <summary>The level, 2^level pixels a cell, of the map of an index.</summary>
    public int LevelOf(int map) => System.Numerics.BitOperations.Log2((uint)strides[map]);

    /// <summary>The features [R,C,S,S] of the regions, image by image, in the order given.</summary>
    /// <param name="maps">Finest first, each [N,C,h,w].</param>
    /// <param name="boxes">For each image [R_i,4], in pixels of the input.</param>
    public Tensor Pool(IReadOnlyList<Tensor> maps, IReadOnlyList<Tensor> boxes)
    {
        if (strides.Count == 1) return align.Pool(maps[0], boxes, 1f / strides[0]);

        using DisposeScope scope = NewDisposeScope();
        var pooled = new List<Tensor>();
        var order = new List<long>();
        float[][] rows = [.. boxes.Select(TensorArrays.Floats)];
        for (int map = 0; map < strides.Count; map++)
        {
            var chosen = new List<Tensor>();
            long start = 0;
            for (int n = 0; n < boxes.Count; n++)
            {
                long[] members = Members(rows[n], map);
                chosen.Add(boxes[n].index_select(0, TensorArrays.Vector(members, boxes[n].device)));
                order.AddRange(members.Select(m => start + m));
                start += rows[n].Length / 4;
            }

            pooled.Add(align.Pool(maps[map], chosen, 1f / strides[map]));
        }

        var place = new long[order.Count];
        for (int i = 0; i < place.Length; i++) place[order[i]] = i;
        return cat([.. pooled]).index_select(0, TensorArrays.Vector(place, maps[0].device)).MoveToOuterDisposeScope();
    }

    /// <summary>The index of the map for a region of a size (square root of its area) in pixels.</summary>
    public int MapFor(float size)
    {
        float level = MathF.Floor(CanonicalLevel + MathF.Log2(size / CanonicalSize) + Epsilon);
        int map = 0;
        while (map + 1 < strides.Count && level >= LevelOf(map + 1)) map++;
        return map;
    }

    private long[] Members(float[] boxes, int map)
    {
        var members = new List<long>();
        for (int i = 0; i < boxes.Length / 4; i++)
        {
            float area = (boxes[4 * i + 2] - boxes[4 * i]) * (boxes[4 * i + 3] - boxes[4 * i + 1]);
            if (MapFor(MathF.Sqrt(area)) == map) members.Add(i);
        }

        return [.. members];
    }
}
