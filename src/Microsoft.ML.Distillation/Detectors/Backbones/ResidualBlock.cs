using Microsoft.ML.Distillation.Onnx;
using Microsoft.ML.Distillation.Tensors;
using TorchSharp;
using static TorchSharp.torch;

namespace Microsoft.ML.Distillation.Detectors.Backbones;

/// <summary>A residual block of ResNet: two 3×3 convolutions, or a bottleneck of 1×1, 3×3, 1×1; the stride is on the first 3×3.</summary>
internal sealed class ResidualBlock : nn.Module<Tensor, Tensor>
{
    private readonly List<ConvNorm> _layers = [];
    private readonly ConvNorm? _shortcut;

    public ResidualBlock(bool bottleneck, int from, int inner, int to, int stride)
        : base(nameof(ResidualBlock))
    {
        if (bottleneck)
        {
            _layers.Add(new ConvNorm(this, ("conv1", "bn1"), from, inner, 1));
            _layers.Add(new ConvNorm(this, ("conv2", "bn2"), inner, inner, 3, stride));
            _layers.Add(new ConvNorm(this, ("conv3", "bn3"), inner, to, 1, activation: Activation.None));
        }
        else
        {
            _layers.Add(new ConvNorm(this, ("conv1", "bn1"), from, inner, 3, stride));
            _layers.Add(new ConvNorm(this, ("conv2", "bn2"), inner, to, 3, activation: Activation.None));
        }

        if (stride == 1 && from == to) return;
        var downsample = new Group();
        register_module("downsample", downsample);
        _shortcut = new ConvNorm(downsample, ("0", "1"), from, to, 1, stride, activation: Activation.None);
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
