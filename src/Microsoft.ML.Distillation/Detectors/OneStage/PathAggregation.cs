using Microsoft.ML.Distillation.Detectors.Backbones;
using Microsoft.ML.Distillation.Onnx;
using Microsoft.ML.Distillation.Tensors;
using TorchSharp;
using static TorchSharp.torch;

namespace Microsoft.ML.Distillation.Detectors;

/// <summary>
/// The neck: each map of the backbone through a 1×1 layer, further maps by halving the coarsest; then from the coarsest to the
/// finest each enlarged and added to the next (Lin et al. 2017), and, in a path aggregation network (Liu et al. 2018), from the
/// finest to the coarsest each halved and added. Sums instead of PAN's concatenations keep it light.
/// </summary>
internal sealed class PathAggregation : nn.Module
{
    private readonly List<ConvNorm> _lateral = [];
    private readonly List<ConvBlock> _further = [];
    private readonly List<ConvBlock> _down = [];
    private readonly List<ConvBlock> _shrink = [];
    private readonly List<ConvBlock> _up = [];

    /// <param name="from">The channels of the backbone's maps, finest first.</param>
    /// <param name="levels">The number of maps to make, at least as many.</param>
    /// <param name="returns">Whether the way leads back to the coarsest.</param>
    /// <param name="ranks">See <see cref="BackboneNetwork.Create"/>.</param>
    public PathAggregation(
        IReadOnlyList<int> from, int levels, int channels, bool separable, bool returns,
        IReadOnlyDictionary<string, IReadOnlyList<int>> ranks)
        : base(nameof(PathAggregation))
    {
        for (int i = 0; i < from.Count; i++)
        {
            var owner = new Group();
            register_module($"lateral{i}", owner);
            _lateral.Add(new ConvNorm(owner, ("conv", "norm"), from[i], channels, 1));
        }

        for (int i = from.Count; i < levels; i++) Add(_further, "further", 2);
        for (int i = 0; i + 1 < levels; i++) Add(_down, "down", 1);
        for (int i = 0; i + 1 < levels && returns; i++)
        {
            Add(_shrink, "shrink", 2);
            Add(_up, "up", 1);
        }

        ConvLayer.MakeAll(this, ranks);

        void Add(List<ConvBlock> list, string name, int stride)
        {
            var block = new ConvBlock(channels, stride, separable);
            register_module($"{name}{list.Count}", block);
            list.Add(block);
        }
    }

    /// <summary>The maps [N,C,h,w], finest first, of the backbone's, finest first.</summary>
    public IReadOnlyList<Tensor> Run(IReadOnlyList<Tensor> maps)
    {
        using DisposeScope scope = NewDisposeScope();
        var x = new List<Tensor>();
        for (int i = 0; i < maps.Count; i++) x.Add(_lateral[i].Run(maps[i]));
        foreach (ConvBlock further in _further) x.Add(further.call(x[^1]));
        for (int i = x.Count - 2; i >= 0; i--)
            x[i] = Refine(_down[i], x[i].Plus(nn.functional.interpolate(x[i + 1], [x[i].shape[2], x[i].shape[3]])));
        for (int i = 0; i < _up.Count; i++) x[i + 1] = Refine(_up[i], x[i + 1].Plus(_shrink[i].call(x[i])));
        foreach (Tensor map in x) map.MoveToOuterDisposeScope();
        return x;
    }

    /// <inheritdoc cref="BackboneNetwork.Write"/>
    public IReadOnlyList<string> Write(GraphBuilder graph, IReadOnlyList<string> maps, string name)
    {
        var x = new List<string>();
        for (int i = 0; i < maps.Count; i++) x.Add(_lateral[i].Write(graph, maps[i], $"{name}.lateral{i}"));
        for (int i = 0; i < _further.Count; i++) x.Add(_further[i].Write(graph, x[^1], $"{name}.further{i}"));
        for (int i = x.Count - 2; i >= 0; i--)
            x[i] = Refine(_down[i], graph.Add("Add", [x[i], FeaturePyramid.EnlargeTo(graph, x[i + 1], x[i])]), $"{name}.down{i}");
        for (int i = 0; i < _up.Count; i++)
            x[i + 1] = Refine(_up[i], graph.Add("Add", [x[i + 1], _shrink[i].Write(graph, x[i], $"{name}.shrink{i}")]), $"{name}.up{i}");
        return x;

        string Refine(ConvBlock block, string sum, string blockName) => graph.Add("Add", [sum, block.Write(graph, sum, blockName)]);
    }

    /// <summary>A sum and what a block makes of it: the way around the block lets short trainings reach the backbone.</summary>
    private static Tensor Refine(ConvBlock block, Tensor sum) => sum.Plus(block.call(sum));
}

/// <summary>
/// A 3×3 layer of the neck, normalised, with ReLU: dense, or depthwise, which has no ReLU of its own, and a 1×1 layer behind it.
/// </summary>
internal sealed class ConvBlock : nn.Module<Tensor, Tensor>
{
    private readonly List<ConvNorm> _layers = [];

    public ConvBlock(int channels, int stride, bool separable)
        : base(nameof(ConvBlock))
    {
        if (!separable)
        {
            _layers.Add(new ConvNorm(this, ("conv", "norm"), channels, channels, 3, stride));
            return;
        }

        _layers.Add(new ConvNorm(this, ("depthwise", "depthwise_norm"), channels, channels, 3, stride, groups: channels,
            activation: Activation.None));
        _layers.Add(new ConvNorm(this, ("pointwise", "pointwise_norm"), channels, channels, 1));
    }

    public override Tensor forward(Tensor input)
    {
        using DisposeScope scope = NewDisposeScope();
        Tensor x = input;
        foreach (ConvNorm layer in _layers) x = layer.Run(x);
        return x.MoveToOuterDisposeScope();
    }

    /// <param name="name">The name of this block in the state dict.</param>
    public string Write(GraphBuilder graph, string input, string name)
    {
        foreach (ConvNorm layer in _layers) input = layer.Write(graph, input, name);
        return input;
    }
}
