using Microsoft.ML.Distillation.Onnx;
using Microsoft.ML.Distillation.Tensors;
using TorchSharp;
using TorchSharp.Modules;
using static TorchSharp.torch;

namespace Microsoft.ML.Distillation.Detectors.Backbones;

/// <summary>
/// A convolution without bias, batch normalisation and an activation. Not a module itself: its two parts are
/// registered under the names that the surrounding network gives them, so that state dicts are the field's usual ones.
/// </summary>
internal sealed class ConvNorm
{
    private readonly ConvLayer _conv;
    private readonly BatchNorm2d _norm;
    private readonly (string Conv, string Norm) _names;
    private readonly Activation _activation;
    private readonly double _momentum;

    /// <param name="names">The names of the two parts within <paramref name="owner"/>.</param>
    /// <param name="epsilon">What the normalisation adds to the variance.</param>
    /// <param name="momentum">The share of each batch in the running statistics.</param>
    public ConvNorm(
        nn.Module owner,
        (string Conv, string Norm) names,
        int from,
        int to,
        int kernel,
        int stride = 1,
        int groups = 1,
        Activation activation = Activation.Relu,
        double epsilon = 1e-5,
        double momentum = 0.1)
    {
        _norm = nn.BatchNorm2d(to, epsilon, momentum);
        _conv = new ConvLayer(from, to, kernel, stride, groups, bias: false, nn.init.FanInOut.FanOut) { NormSource = () => _norm };
        _names = names;
        _activation = activation;
        _momentum = momentum;
        owner.register_module(names.Conv, _conv);
        owner.register_module(names.Norm, _norm);
    }

    public Tensor Run(Tensor input)
    {
        using Tensor convolved = _conv.call(input);

        // Not _norm.call: TorchSharp's module counts its batches with a temporary Scalar (see Tensors/Sums.cs), for nobody to read.
        Tensor normalised = nn.functional.batch_norm(
            convolved, _norm.running_mean!, _norm.running_var!, _norm.weight, _norm.bias, _norm.training, _momentum, _norm.eps);
        return _activation.Take(normalised);
    }

    /// <param name="owner">The name of the owner in the state dict.</param>
    public string Write(GraphBuilder graph, string input, string owner)
    {
        string value = _conv.Write(graph, input, $"{owner}.{_names.Conv}");
        // Layers of low precision have the normalisation folded in.
        if (_conv.Quantizer is null) value = OnnxLayers.BatchNorm(graph, value, _norm, $"{owner}.{_names.Norm}");
        return _activation.Write(graph, value);
    }
}
