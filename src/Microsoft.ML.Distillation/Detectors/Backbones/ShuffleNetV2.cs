using Microsoft.ML.Distillation.Onnx;
using TorchSharp;
using static TorchSharp.torch;

namespace Microsoft.ML.Distillation.Detectors.Backbones;

/// <summary>
/// ShuffleNetV2 (Ma et al. 2018) as in torchvision, with its state dict (<c>conv1.0.weight</c>, <c>stage2.0.branch1.0.weight</c>,
/// …), without <c>conv5</c> and the classifier.
/// </summary>
internal sealed class ShuffleNetV2 : BackboneNetwork
{
    /// <summary>The channels of the three stages at ×0.5.</summary>
    public static readonly IReadOnlyList<int> HalfWidth = [48, 96, 192];

    /// <summary>The channels of the three stages at ×1.0.</summary>
    public static readonly IReadOnlyList<int> FullWidth = [116, 232, 464];

    private const int StemChannels = 24;

    /// <summary>The blocks of the three stages.</summary>
    public static readonly IReadOnlyList<int> Blocks = [4, 8, 4];

    private readonly ConvNorm _stem;
    private readonly List<(string Name, List<ShuffleBlock> Blocks)> _stages = [];
    private readonly List<FeatureMap> _maps = [];

    public ShuffleNetV2(IReadOnlyList<int> widths, int stages, int outputStride)
        : base(nameof(ShuffleNetV2))
    {
        var stem = new Group();
        register_module("conv1", stem);
        _stem = new ConvNorm(stem, ("0", "1"), 3, StemChannels, 3, 2);
        int from = StemChannels, stride = 4;
        for (int i = 0; i < stages; i++)
        {
            int step = stride < outputStride ? 2 : 1;
            var stage = new List<ShuffleBlock> { new(from, widths[i], step, split: false) };
            for (int b = 1; b < Blocks[i]; b++) stage.Add(new ShuffleBlock(widths[i], widths[i], 1, split: true));

            from = widths[i];
            stride *= step;
            string name = $"stage{i + 2}";
            register_module(name, nn.Sequential(stage.ToArray()));
            _stages.Add((name, stage));
            _maps.Add(new FeatureMap(name, from, stride));
        }
    }

    public override IReadOnlyList<FeatureMap> Maps => _maps;

    public override IReadOnlyList<Tensor> Run(Tensor images)
    {
        using DisposeScope scope = NewDisposeScope();
        Tensor x = nn.functional.max_pool2d(_stem.Run(images), 3, 2, 1);
        var maps = new List<Tensor>();
        foreach ((_, List<ShuffleBlock> blocks) in _stages)
        {
            foreach (ShuffleBlock block in blocks) x = block.call(x);
            maps.Add(x.MoveToOuterDisposeScope());
        }

        return maps;
    }

    public override IReadOnlyList<string> Write(GraphBuilder graph, string images, string name)
    {
        string x = OnnxLayers.MaxPool(graph, _stem.Write(graph, images, $"{name}.conv1"), 3, 2, 1);
        var maps = new List<string>();
        foreach ((string stage, List<ShuffleBlock> blocks) in _stages)
        {
            for (int b = 0; b < blocks.Count; b++) x = blocks[b].Write(graph, x, $"{name}.{stage}.{b}");
            maps.Add(x);
        }

        return maps;
    }
}
