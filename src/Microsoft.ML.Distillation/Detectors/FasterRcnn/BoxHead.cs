using Microsoft.ML.Distillation.Detectors.Backbones;
using Microsoft.ML.Distillation.Detectors.Boxes;
using Microsoft.ML.Distillation.Onnx;
using Microsoft.ML.Distillation.Tensors;
using TorchSharp;
using static TorchSharp.torch;

namespace Microsoft.ML.Distillation.Detectors;

/// <summary>The answer of the box head (RCN) for R regions.</summary>
/// <param name="ClassLogits">[R,C+1], background first.</param>
/// <param name="Deltas">
/// [R,C,4], or [R,1,4] where one regressor serves all classes, in the coding of <see cref="FasterRcnn.HeadCoder"/>.
/// </param>
internal sealed record HeadOutput(Tensor ClassLogits, Tensor Deltas);

/// <summary>The box head's layers: one or two fully connected ones, then class scores and deltas.</summary>
internal sealed class BoxHead : nn.Module
{
    private readonly List<nn.Module<Tensor, Tensor>> _layers = [];
    private readonly float _dropout;

    // Named as in the state dict.
    private readonly FullyConnected cls_score;
    private readonly FullyConnected bbox_pred;

    /// <param name="from">The values of a region: channels × cells.</param>
    /// <param name="widths">The widths of the layers before the predictors.</param>
    /// <param name="ranks">For layers in parts, by their names in the detector's state dict, the values in the middle.</param>
    /// <param name="dropout">The share of their values that is dropped in training.</param>
    /// <param name="regressors">The number of classes, or 1.</param>
    public BoxHead(int from, IReadOnlyList<int> widths, IReadOnlyDictionary<string, IReadOnlyList<int>> ranks, float dropout, int classes,
        int regressors)
        : base(nameof(BoxHead))
    {
        _dropout = dropout;
        for (int i = 0; i < widths.Count; i++)
        {
            _layers.Add(ranks.TryGetValue(LayerName(i), out IReadOnlyList<int>? rank)
                ? new LowRankLinear(from, widths[i], rank[0])
                : Whole(from, widths[i]));
            register_module($"fc{6 + i}", _layers[i]);
            from = widths[i];
        }

        cls_score = new FullyConnected(from, classes + 1);
        bbox_pred = new FullyConnected(from, 4 * regressors);
        nn.init.normal_(cls_score.Weight, 0, 0.01);
        nn.init.normal_(bbox_pred.Weight, 0, 0.001);
        foreach (FullyConnected layer in (FullyConnected[])[cls_score, bbox_pred]) nn.init.zeros_(layer.Bias!);
        RegisterComponents();
    }

    /// <summary>The name of a layer before the predictors in the detector's state dict.</summary>
    public static string LayerName(int index) => $"head.fc{6 + index}";

    /// <param name="regions">[R,C,S,S].</param>
    public HeadOutput Run(Tensor regions)
    {
        using DisposeScope scope = NewDisposeScope();
        Tensor x = regions.flatten(1);
        foreach (nn.Module<Tensor, Tensor> layer in _layers)
        {
            x = layer.call(x).relu_();
            if (_dropout > 0) x = nn.functional.dropout(x, _dropout, training);
        }

        return new HeadOutput(
            cls_score.call(x).Single().MoveToOuterDisposeScope(),
            bbox_pred.call(x).Single().view(x.shape[0], bbox_pred.Weight.shape[0] / 4, 4).MoveToOuterDisposeScope());
    }

    /// <summary>Writes the layers; the values hold class logits [R,C+1] and deltas [R,4 × regressors].</summary>
    public (string Logits, string Deltas) Write(GraphBuilder graph, string regions, string name)
    {
        string x = graph.Add("Flatten", [regions], ("axis", 1));
        for (int i = 0; i < _layers.Count; i++)
        {
            string layer = $"{name}.fc{6 + i}";
            x = graph.Add("Relu", [_layers[i] is LowRankLinear parts ? parts.Write(graph, x, layer)
                : ((FullyConnected)_layers[i]).Write(graph, x, layer)]);
        }

        return (
            cls_score.Write(graph, x, $"{name}.cls_score"),
            bbox_pred.Write(graph, x, $"{name}.bbox_pred"));
    }

    private static FullyConnected Whole(int from, int to)
    {
        var layer = new FullyConnected(from, to);
        nn.init.kaiming_uniform_(layer.Weight, a: 1);
        nn.init.zeros_(layer.Bias!);
        return layer;
    }
}

/// <summary>
/// A fully connected layer in two parts (see <see cref="CompressionOptions"/>). State dict: <c>reduce.weight</c>, <c>expand.weight</c>,
/// <c>expand.bias</c>.
/// </summary>
internal sealed class LowRankLinear : nn.Module<Tensor, Tensor>
{
    // Named as in the state dict.
    private readonly FullyConnected reduce;
    private readonly FullyConnected expand;

    public LowRankLinear(int from, int to, int rank)
        : base(nameof(LowRankLinear))
    {
        reduce = new FullyConnected(from, rank, hasBias: false);
        expand = new FullyConnected(rank, to);
        nn.init.normal_(reduce.Weight, 0, 1 / Math.Sqrt(from));
        nn.init.normal_(expand.Weight, 0, 1 / Math.Sqrt(rank));
        nn.init.zeros_(expand.Bias!);
        RegisterComponents();
    }

    public override Tensor forward(Tensor input)
    {
        using Tensor reduced = reduce.call(input);
        return expand.call(reduced);
    }

    /// <param name="name">The name of this module in the state dict.</param>
    public string Write(GraphBuilder graph, string input, string name)
        => expand.Write(graph, reduce.Write(graph, input, $"{name}.reduce"), $"{name}.expand");
}

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
