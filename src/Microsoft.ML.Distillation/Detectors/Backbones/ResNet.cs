using Microsoft.ML.Distillation.Onnx;
using Microsoft.ML.Distillation.Tensors;
using TorchSharp;
using static TorchSharp.torch;

namespace Microsoft.ML.Distillation.Detectors.Backbones;

/// <summary>
/// ResNet (He et al. 2015) as in torchvision, with its state dict (<c>conv1.weight</c>, <c>layer1.0.conv1.weight</c>, …), without the
/// classifier.
/// </summary>
internal sealed class ResNet : BackboneNetwork
{
    private const int StemChannels = 64;
    private const int Pool = 2;

    private readonly ConvNorm _stem;
    private readonly List<(string Name, List<ResidualBlock> Blocks)> _stages = [];
    private readonly List<FeatureMap> _maps = [];

    /// <param name="bottlenecks">Blocks of three convolutions (ResNet-50) rather than of two.</param>
    /// <param name="blocks">The number of blocks of each stage.</param>
    public ResNet(bool bottlenecks, int[] blocks, int stages, Descent descent)
        : base(nameof(ResNet))
    {
        _stem = new ConvNorm(this, ("conv1", "bn1"), 3, StemChannels, 7, descent.Step(2).Stride);
        descent.Step(Pool);
        int from = StemChannels;
        for (int i = 0; i < stages; i++)
        {
            int inner = StemChannels << i, to = bottlenecks ? 4 * inner : inner;
            var stage = new List<ResidualBlock>();
            for (int b = 0; b < blocks[i]; b++)
            {
                stage.Add(new ResidualBlock(bottlenecks, from, inner, to, descent.Step(i > 0 && b == 0 ? 2 : 1)));
                from = to;
            }

            string name = $"layer{i + 1}";
            register_module(name, nn.Sequential(stage.ToArray()));
            _stages.Add((name, stage));
            _maps.Add(new FeatureMap(name, to, descent.Stride));
        }
    }

    public override IReadOnlyList<FeatureMap> Maps => _maps;

    public override IReadOnlyList<Tensor> Run(Tensor images)
    {
        using DisposeScope scope = NewDisposeScope();
        Tensor x = nn.functional.max_pool2d(_stem.Run(images), 3, Pool, 1);
        var maps = new List<Tensor>();
        foreach ((_, List<ResidualBlock> blocks) in _stages)
        {
            foreach (ResidualBlock block in blocks) x = block.call(x);
            maps.Add(x.MoveToOuterDisposeScope());
        }

        return maps;
    }

    public override IReadOnlyList<string> Write(GraphBuilder graph, string images, string name)
    {
        string x = OnnxLayers.MaxPool(graph, _stem.Write(graph, images, name), 3, Pool, 1);
        var maps = new List<string>();
        foreach ((string stage, List<ResidualBlock> blocks) in _stages)
        {
            for (int b = 0; b < blocks.Count; b++) x = blocks[b].Write(graph, x, $"{name}.{stage}.{b}");
            maps.Add(x);
        }

        return maps;
    }
}

/// <summary>A residual block of ResNet: two 3×3 convolutions, or a bottleneck of 1×1, 3×3, 1×1; the stride is on the first 3×3.</summary>
internal sealed class ResidualBlock : nn.Module<Tensor, Tensor>
{
    private readonly List<ConvNorm> _layers = [];
    private readonly ConvNorm? _shortcut;

    public ResidualBlock(bool bottleneck, int from, int inner, int to, DescentStep step)
        : base(nameof(ResidualBlock))
    {
        if (bottleneck)
        {
            _layers.Add(new ConvNorm(this, ("conv1", "bn1"), from, inner, 1));
            _layers.Add(new ConvNorm(this, ("conv2", "bn2"), inner, inner, 3, step.Stride, dilation: step.Dilation));
            _layers.Add(new ConvNorm(this, ("conv3", "bn3"), inner, to, 1, activation: Activation.None));
        }
        else
        {
            _layers.Add(new ConvNorm(this, ("conv1", "bn1"), from, inner, 3, step.Stride, dilation: step.Dilation));
            _layers.Add(new ConvNorm(this, ("conv2", "bn2"), inner, to, 3, activation: Activation.None, dilation: step.Following));
        }

        if (step.Stride == 1 && from == to) return;
        var downsample = new Group();
        register_module("downsample", downsample);
        _shortcut = new ConvNorm(downsample, ("0", "1"), from, to, 1, step.Stride, activation: Activation.None);
    }

    public override Tensor forward(Tensor input)
    {
        using DisposeScope scope = NewDisposeScope();
        Tensor x = input;
        foreach (ConvNorm layer in _layers) x = layer.Run(x);
        return x.PlusInPlace(_shortcut?.Run(input) ?? input).relu_().MoveToOuterDisposeScope();
    }

    /// <param name="name">The name of this block in the state dict.</param>
    public string Write(GraphBuilder graph, string input, string name)
    {
        string x = input;
        foreach (ConvNorm layer in _layers) x = layer.Write(graph, x, name);
        return graph.Add("Relu", [graph.Add("Add", [x, _shortcut?.Write(graph, input, $"{name}.downsample") ?? input])]);
    }
}
