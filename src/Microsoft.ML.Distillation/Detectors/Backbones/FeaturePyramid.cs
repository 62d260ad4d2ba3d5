using Microsoft.ML.Distillation.Onnx;
using Microsoft.ML.Distillation.Tensors;
using TorchSharp;
using static TorchSharp.torch;

namespace Microsoft.ML.Distillation.Detectors.Backbones;

/// <summary>
/// A feature pyramid (Lin et al. 2017): each map goes through a 1×1 convolution, the coarser result is enlarged and added,
/// and a 3×3 convolution smooths the sum. State dict as in torchvision 0.14 (<c>inner_blocks.0.0.weight</c>,
/// <c>layer_blocks.0.0.weight</c>).
/// </summary>
internal sealed class FeaturePyramid : nn.Module
{
    private readonly List<ConvLayer> _inner = [];
    private readonly List<ConvLayer> _layer = [];

    /// <param name="from">The channels of the maps, finest first.</param>
    /// <param name="ranks">See <see cref="BackboneNetwork.Create"/>.</param>
    public FeaturePyramid(IEnumerable<int> from, int channels, IReadOnlyDictionary<string, IReadOnlyList<int>> ranks)
        : base(nameof(FeaturePyramid))
    {
        var inner = new Group();
        var layer = new Group();
        register_module("inner_blocks", inner);
        register_module("layer_blocks", layer);
        foreach (int count in from)
        {
            Add("inner_blocks", inner, _inner, count, 1);
            Add("layer_blocks", layer, _layer, channels, 3);
        }

        void Add(string blocks, Group group, List<ConvLayer> list, int seen, int kernel)
        {
            var conv = new ConvLayer(seen, channels, kernel, stride: 1, groups: 1, bias: true, nn.init.FanInOut.FanOut);
            conv.Make(ranks.GetValueOrDefault($"{blocks}.{list.Count}.0"));
            if (conv.IsWhole) nn.init.kaiming_uniform_(conv.Weight, a: 1);
            var block = new Group();
            block.register_module("0", conv);
            group.register_module($"{list.Count}", block);
            list.Add(conv);
        }
    }

    /// <summary>The pyramid's maps, finest first, of the backbone's, finest first.</summary>
    public IReadOnlyList<Tensor> Run(IReadOnlyList<Tensor> maps)
    {
        using DisposeScope scope = NewDisposeScope();
        var result = new Tensor[maps.Count];
        Tensor? above = null;
        for (int i = maps.Count - 1; i >= 0; i--)
        {
            Tensor inner = _inner[i].call(maps[i]);
            above = above is null ? inner : inner.Plus(nn.functional.interpolate(above, [inner.shape[2], inner.shape[3]]));
            result[i] = _layer[i].call(above).MoveToOuterDisposeScope();
        }

        return result;
    }

    /// <inheritdoc cref="BackboneNetwork.Write"/>
    public IReadOnlyList<string> Write(GraphBuilder graph, IReadOnlyList<string> maps, string name)
    {
        var result = new string[maps.Count];
        string? above = null;
        for (int i = maps.Count - 1; i >= 0; i--)
        {
            string inner = _inner[i].Write(graph, maps[i], $"{name}.inner_blocks.{i}.0");
            above = above is null ? inner : graph.Add("Add", [inner, EnlargeTo(graph, above, inner)]);
            result[i] = _layer[i].Write(graph, above, $"{name}.layer_blocks.{i}.0");
        }

        return result;
    }

    /// <summary>Writes the enlargement of a map to the size of another, by repeating cells.</summary>
    public static string EnlargeTo(GraphBuilder graph, string map, string target) => graph.Add(
        "Resize",
        [map, "", "", graph.Add("Shape", [target])],
        ("mode", "nearest"),
        ("coordinate_transformation_mode", "asymmetric"),
        ("nearest_mode", "floor"));
}
