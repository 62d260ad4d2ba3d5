using Microsoft.ML.Distillation.Detectors.Boxes;
using Microsoft.ML.Distillation.Onnx;
using TorchSharp;
using static TorchSharp.torch;

namespace Microsoft.ML.Distillation.Detectors;

/// <summary>
/// Pooling of regions over one map or a pyramid. In a pyramid each region is read from the map whose resolution suits its size:
/// level ⌊4 + log2(√area / 224)⌋, where level k has stride 2^k (Lin et al. 2017, equation 1; torchvision's LevelMapper).
/// </summary>
internal sealed class RegionPooling(IRoiPooling pooling, IReadOnlyList<int> strides)
{
    /// <summary>Regions of this size, in pixels, are for the level named next.</summary>
    private const double CanonicalSize = 224;

    private const double CanonicalLevel = 4;

    /// <summary>torchvision's, which keeps a size that is exactly on a border on the upper level.</summary>
    private const double Epsilon = 1e-6;

    /// <summary>The area, in square pixels, from which on regions are read from a map.</summary>
    public float SmallestArea(int map)
    {
        if (map == 0) return 0;
        double side = CanonicalSize * Math.Pow(2, Math.Log2(strides[map]) - CanonicalLevel - Epsilon);
        return (float)(side * side);
    }

    /// <summary>The features [R,C,S,S] of the regions, image by image, in the order given.</summary>
    /// <param name="maps">Finest first, each [N,C,h,w].</param>
    /// <param name="boxes">For each image [R_i,4], in pixels of the input.</param>
    public Tensor Pool(IReadOnlyList<Tensor> maps, IReadOnlyList<Tensor> boxes)
    {
        if (strides.Count == 1) return pooling.Pool(maps[0], boxes, 1f / strides[0]);

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

            pooled.Add(pooling.Pool(maps[map], chosen, 1f / strides[map]));
        }

        var place = new long[order.Count];
        for (int i = 0; i < place.Length; i++) place[order[i]] = i;
        return cat([.. pooled]).index_select(0, TensorArrays.Vector(place, maps[0].device)).MoveToOuterDisposeScope();
    }

    /// <summary>Writes the pooling of regions [R,4], all of the map of an index, into an ONNX graph.</summary>
    public string Write(GraphBuilder graph, string map, string boxes, int index) => pooling.Write(graph, map, boxes, 1f / strides[index]);

    private long[] Members(float[] boxes, int map)
    {
        var members = new List<long>();
        for (int i = 0; i < boxes.Length / 4; i++)
        {
            float area = (boxes[4 * i + 2] - boxes[4 * i]) * (boxes[4 * i + 3] - boxes[4 * i + 1]);
            if (area >= SmallestArea(map) && (map + 1 == strides.Count || area < SmallestArea(map + 1))) members.Add(i);
        }

        return [.. members];
    }
}
