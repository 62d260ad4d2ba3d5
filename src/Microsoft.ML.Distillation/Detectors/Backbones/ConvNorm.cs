using Microsoft.ML.Distillation.Onnx;
using Microsoft.ML.Distillation.Tensors;
using TorchSharp;
using TorchSharp.Modules;
using static TorchSharp.torch;

namespace Microsoft.ML.Distillation.Detectors.Backbones;

/// <summary>
/// A convolution without bias, batch normalisation and, where asked for, ReLU. Not a module itself: its two parts are
/// registered under the names that the surrounding network gives them, so that state dicts are the field's usual ones.
/// </summary>
internal sealed class ConvNorm
{
    private const double Momentum = 0.1;
    private const double Epsilon = 1e-5;

    private readonly Conv2d _conv;
    private readonly BatchNorm2d _norm;
    private readonly (string Conv, string Norm) _names;
    private readonly int? _pointwiseStride;
    private readonly bool _relu;

    /// <param name="names">The names of the two parts within <paramref name="owner"/>.</param>
    public ConvNorm(
        nn.Module owner, (string Conv, string Norm) names, int from, int to, int kernel, int stride = 1, int groups = 1, bool relu = true)
    {
        _conv = nn.Conv2d(from, to, kernel, stride, kernel / 2, groups: groups, bias: false);
        nn.init.kaiming_normal_(_conv.weight!, mode: nn.init.FanInOut.FanOut, nonlinearity: nn.init.NonlinearityType.ReLU);
        _norm = nn.BatchNorm2d(to, Epsilon, Momentum);
        if (kernel == 1 && groups == 1) _pointwiseStride = stride;
        _names = names;
        _relu = relu;
        owner.register_module(names.Conv, _conv);
        owner.register_module(names.Norm, _norm);
    }

    public Tensor Run(Tensor input)
    {
        using Tensor convolved = _pointwiseStride is int stride ? Pointwise.Run(_conv, input, stride) : _conv.call(input);

        // Not _norm.call: TorchSharp's module counts its batches with a temporary Scalar (see Tensors/Sums.cs), for nobody to read.
        Tensor normalised = nn.functional.batch_norm(
            convolved, _norm.running_mean!, _norm.running_var!, _norm.weight, _norm.bias, _norm.training, Momentum, Epsilon);
        return _relu ? normalised.relu_() : normalised;
    }

    /// <param name="owner">The name of the owner in the state dict.</param>
    public string Write(GraphBuilder graph, string input, string owner)
    {
        string value = OnnxLayers.Conv(graph, input, _conv, $"{owner}.{_names.Conv}");
        value = OnnxLayers.BatchNorm(graph, value, _norm, $"{owner}.{_names.Norm}");
        return _relu ? graph.Add("Relu", [value]) : value;
    }
}
