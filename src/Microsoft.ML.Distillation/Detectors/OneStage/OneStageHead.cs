using Microsoft.ML.Distillation.Detectors.Backbones;
using Microsoft.ML.Distillation.Distributed;
using Microsoft.ML.Distillation.Onnx;
using Microsoft.ML.Distillation.Tensors;
using TorchSharp;
using static TorchSharp.torch;
using BatchNorm2d = TorchSharp.Modules.BatchNorm2d;

namespace Microsoft.ML.Distillation.Detectors;

/// <summary>The answer of a one-stage detector's head for a batch, at P locations of each image, those of the finest map first.</summary>
/// <param name="Logits">[N,P,C]: of each class's score.</param>
/// <param name="Edges">[N,P,4,m+1]: logits of the bins of the distances to left, top, right and bottom, in strides.</param>
internal sealed record DenseOutput(Tensor Logits, Tensor Edges);

/// <summary>The head's layers, which all maps share: some 3×3 layers, then class scores and distances for each cell.</summary>
internal sealed class OneStageHead : nn.Module
{
    /// <summary>
    /// The score that every class has everywhere before training, so that the many empty locations do not swamp the first steps.
    /// </summary>
    private const double Prior = 0.01;

    private readonly List<HeadLayer> _layers = [];

    // Named as in the state dict.
    private readonly Convolution classes;
    private readonly Convolution edges;
    private readonly int _bins;

    /// <param name="ranks">See <see cref="BackboneNetwork.Create"/>.</param>
    public OneStageHead(
        int channels, int levels, int layers, bool separable, int classCount, int bins,
        IReadOnlyDictionary<string, IReadOnlyList<int>> ranks)
        : base(nameof(OneStageHead))
    {
        _bins = bins;
        for (int i = 0; i < layers; i++)
        {
            _layers.Add(new HeadLayer(channels, levels, separable, CompressibleLayers.RanksUnder($"layer{i}.", ranks)));
            register_module($"layer{i}", _layers[i]);
        }

        classes = new Convolution(channels, classCount, 1);
        edges = new Convolution(channels, 4 * bins, 1);
        nn.init.normal_(classes.Weight, 0, 0.01);
        nn.init.normal_(edges.Weight, 0, 0.01);
        RegisterComponents();
        using Scalar bias = -Math.Log((1 - Prior) / Prior);
        nn.init.constant_(classes.get_parameter("bias")!, bias);
    }

    /// <summary>The number of 3×3 layers.</summary>
    public int Layers => _layers.Count;

    /// <summary>The head's answer for maps, finest first.</summary>
    public DenseOutput Run(IReadOnlyList<Tensor> maps) => Finish(maps, 0);

    /// <summary>The maps after the first layers.</summary>
    /// <param name="layers">How many layers to go through.</param>
    /// <param name="activates">Whether the last of them ends in its ReLU.</param>
    public IReadOnlyList<Tensor> Begin(IReadOnlyList<Tensor> maps, int layers, bool activates = true)
    {
        var begun = new List<Tensor>();
        for (int level = 0; level < maps.Count; level++)
        {
            using DisposeScope scope = NewDisposeScope();
            Tensor x = maps[level].alias();
            for (int i = 0; i < layers; i++) x = _layers[i].Run(x, level, activates || i < layers - 1);
            begun.Add(x.MoveToOuterDisposeScope());
        }

        return begun;
    }

    /// <summary>The answer for maps that have gone through the first layers.</summary>
    /// <param name="begun">How many layers they have gone through.</param>
    public DenseOutput Finish(IReadOnlyList<Tensor> maps, int begun)
    {
        using DisposeScope scope = NewDisposeScope();
        var logits = new List<Tensor>();
        var bins = new List<Tensor>();
        for (int level = 0; level < maps.Count; level++)
        {
            Tensor x = maps[level];
            for (int i = begun; i < _layers.Count; i++) x = _layers[i].Run(x, level);
            long images = x.shape[0];
            logits.Add(classes.call(x).permute(0, 2, 3, 1).flatten(1, 2));
            bins.Add(edges.call(x).permute(0, 2, 3, 1).reshape(images, -1, 4, _bins));
        }

        return new DenseOutput(cat(logits, 1).Single().MoveToOuterDisposeScope(), cat(bins, 1).Single().MoveToOuterDisposeScope());
    }

    /// <summary>Writes the layers for one map; the values hold class logits [P,C] and the bins' logits [P,4,m+1] of one image.</summary>
    public (string Logits, string Edges) Write(GraphBuilder graph, string map, string name, int level, int classCount)
    {
        for (int i = 0; i < _layers.Count; i++) map = _layers[i].Write(graph, map, $"{name}.layer{i}", level);
        return (
            Rows(classes.Write(graph, map, $"{name}.classes"), -1, classCount),
            Rows(edges.Write(graph, map, $"{name}.edges"), -1, 4, _bins));

        string Rows(string value, params ReadOnlySpan<long> shape)
        {
            string last = graph.Add("Transpose", [value], ("perm", new[] { 0, 2, 3, 1 }));
            return graph.Add("Reshape", [last, graph.Integers(shape)]);
        }
    }
}

/// <summary>
/// A 3×3 layer of the head with ReLU. All maps share its convolutions; each map has a batch normalisation of its own, since the
/// maps' values are distributed differently and one running mean would fit none of them.
/// </summary>
internal sealed class HeadLayer : nn.Module
{
    private readonly List<ConvLayer> _convs = [];
    private readonly List<List<BatchNorm2d>> _norms = [];

    /// <param name="ranks">See <see cref="BackboneNetwork.Create"/>.</param>
    public HeadLayer(int channels, int levels, bool separable, IReadOnlyDictionary<string, IReadOnlyList<int>> ranks)
        : base(nameof(HeadLayer))
    {
        Add(3, groups: separable ? channels : 1);
        if (separable) Add(1, groups: 1);

        void Add(int kernel, int groups)
        {
            int index = _convs.Count;
            var conv = new ConvLayer(channels, channels, kernel, stride: 1, groups, bias: false, nn.init.FanInOut.FanOut);
            conv.Make(ranks.GetValueOrDefault($"conv{index}"));
            register_module($"conv{index}", conv);
            _convs.Add(conv);
            var norms = new List<BatchNorm2d>();
            for (int level = 0; level < levels; level++)
            {
                norms.Add(nn.BatchNorm2d(channels));
                register_module($"norm{index}_{level}", norms[level]);
            }

            _norms.Add(norms);
        }
    }

    /// <summary>The layer on one of the maps.</summary>
    /// <param name="activates">Whether it ends in its ReLU.</param>
    public Tensor Run(Tensor map, int level, bool activates = true)
    {
        using DisposeScope scope = NewDisposeScope();
        Tensor x = map;
        for (int i = 0; i < _convs.Count; i++)
        {
            x = SharedBatchNorm.Run(_convs[i].call(x), _norms[i][level], 0.1, _convs[i].SharedBy);
            if (activates || i < _convs.Count - 1) x = x.relu_();
        }

        return x.MoveToOuterDisposeScope();
    }

    /// <param name="name">The name of this layer in the state dict.</param>
    public string Write(GraphBuilder graph, string map, string name, int level)
    {
        for (int i = 0; i < _convs.Count; i++)
        {
            string value = _convs[i].Write(graph, map, $"{name}.conv{i}");
            map = graph.Add("Relu", [OnnxLayers.BatchNorm(graph, value, _norms[i][level], $"{name}.norm{i}_{level}")]);
        }

        return map;
    }
}
