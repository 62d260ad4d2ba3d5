using Microsoft.ML.Distillation.Detectors.Backbones;
using Microsoft.ML.Distillation.Onnx;
using TorchSharp;
using static TorchSharp.torch;

namespace Microsoft.ML.Distillation.Detectors;

/// <summary>A 3×3 layer of the neck, normalised, with ReLU: dense, or depthwise, which has no ReLU of its own, and a 1×1 layer behind it.</summary>
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

        _layers.Add(new ConvNorm(this, ("depthwise", "depthwise_norm"), channels, channels, 3, stride, groups: channels, activation: Activation.None));
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
