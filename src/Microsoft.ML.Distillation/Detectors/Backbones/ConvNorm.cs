using Microsoft.ML.Distillation.Onnx;
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
    private readonly Convolution _conv;
    private readonly BatchNorm2d _norm;
    private readonly (string Conv, string Norm) _names;
    private readonly bool _relu;

    /// <param name="names">The names of the two parts within <paramref name="owner"/>.</param>
    public ConvNorm(
        nn.Module owner, (string Conv, string Norm) names, int from, int to, int kernel, int stride = 1, int groups = 1, bool relu = true)
    {
        _conv = new Convolution(from, to, kernel, stride, groups, bias: false);
        _norm = nn.BatchNorm2d(to);
        _names = names;
        _relu = relu;
        owner.register_module(names.Conv, _conv);
        owner.register_module(names.Norm, _norm);
    }

    public Tensor Run(Tensor input)
    {
        using Tensor convolved = _conv.call(input);
        Tensor normalised = _norm.call(convolved);
        return _relu ? normalised.relu_() : normalised;
    }

    /// <param name="owner">The name of the owner in the state dict.</param>
    public string Write(GraphBuilder graph, string input, string owner)
    {
        string value = _conv.Write(graph, input, $"{owner}.{_names.Conv}");
        value = OnnxLayers.BatchNorm(graph, value, _norm, $"{owner}.{_names.Norm}");
        return _relu ? graph.Add("Relu", [value]) : value;
    }
}
