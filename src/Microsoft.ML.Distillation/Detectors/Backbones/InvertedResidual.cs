using Microsoft.ML.Distillation.Onnx;
using Microsoft.ML.Distillation.Tensors;
using TorchSharp;
using static TorchSharp.torch;

namespace Microsoft.ML.Distillation.Detectors.Backbones;

/// <summary>A block of MobileNetV3.</summary>
/// <param name="Expanded">The channels of the depthwise convolution.</param>
/// <param name="Squeezes">Whether it has squeeze and excitation.</param>
internal sealed record InvertedResidualShape(int Kernel, int Expanded, int To, bool Squeezes, Activation Activation, int Stride = 1);

/// <summary>
/// An inverted residual block (Sandler et al. 2018, Howard et al. 2019): 1×1 up to many channels, depthwise, squeeze and
/// excitation, 1×1 down; the input is added where its shape allows.
/// </summary>
internal sealed class InvertedResidual : nn.Module<Tensor, Tensor>
{
    private const int SqueezeFactor = 4;

    /// <summary>The steps with their places in the state dict.</summary>
    private readonly List<(string Place, Func<Tensor, Tensor> Run, Func<GraphBuilder, string, string, string> Write)> _steps = [];

    private readonly bool _adds;

    /// <param name="stride">The block's own, or 1 where the resolution is to be kept.</param>
    public InvertedResidual(int from, InvertedResidualShape shape, int stride)
        : base(nameof(InvertedResidual))
    {
        _adds = stride == 1 && from == shape.To;
        var block = new Group();
        register_module("block", block);
        if (shape.Expanded != from) AddLayer(block, from, shape.Expanded, 1, 1, 1, shape.Activation);
        AddLayer(block, shape.Expanded, shape.Expanded, shape.Kernel, stride, shape.Expanded, shape.Activation);
        if (shape.Squeezes)
        {
            var squeeze = new SqueezeExcitation(shape.Expanded, MobileNetV3.MultipleOfEight(shape.Expanded / SqueezeFactor));
            block.register_module($"{_steps.Count}", squeeze);
            _steps.Add(($"block.{_steps.Count}", squeeze.call, squeeze.Write));
        }

        AddLayer(block, shape.Expanded, shape.To, 1, 1, 1, Activation.None);
    }

    public override Tensor forward(Tensor input)
    {
        using DisposeScope scope = NewDisposeScope();
        Tensor x = input;
        foreach (var step in _steps) x = step.Run(x);
        return (_adds ? x.PlusInPlace(input) : x).MoveToOuterDisposeScope();
    }

    /// <param name="name">The name of this block in the state dict.</param>
    public string Write(GraphBuilder graph, string input, string name)
    {
        string x = input;
        foreach (var step in _steps) x = step.Write(graph, x, $"{name}.{step.Place}");
        return _adds ? graph.Add("Add", [x, input]) : x;
    }

    private void AddLayer(Group block, int from, int to, int kernel, int stride, int groups, Activation activation)
    {
        var owner = new Group();
        block.register_module($"{_steps.Count}", owner);
        ConvNorm layer = MobileNetV3.Layer(owner, from, to, kernel, stride, groups, activation);
        _steps.Add(($"block.{_steps.Count}", layer.Run, layer.Write));
    }
}
