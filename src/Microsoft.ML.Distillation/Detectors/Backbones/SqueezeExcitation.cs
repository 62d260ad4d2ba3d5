using Microsoft.ML.Distillation.Onnx;
using TorchSharp;
using static TorchSharp.torch;

namespace Microsoft.ML.Distillation.Detectors.Backbones;

/// <summary>
/// Squeeze and excitation (Hu et al. 2018) as in MobileNetV3: the mean of each channel goes through two 1×1 convolutions, and
/// what comes out, 0 to 1, scales the channel.
/// </summary>
internal sealed class SqueezeExcitation : nn.Module<Tensor, Tensor>
{
    // Named as in the state dict.
    private readonly Convolution fc1;
    private readonly Convolution fc2;

    public SqueezeExcitation(int channels, int squeezed)
        : base(nameof(SqueezeExcitation))
    {
        fc1 = new Convolution(channels, squeezed, 1);
        fc2 = new Convolution(squeezed, channels, 1);
        RegisterComponents();
    }

    public override Tensor forward(Tensor input)
    {
        using DisposeScope scope = NewDisposeScope();
        Tensor squeezed = fc1.call(input.mean([2L, 3], keepdim: true)).relu_();
        return (input * fc2.call(squeezed).hardsigmoid()).MoveToOuterDisposeScope();
    }

    /// <param name="name">The name of this module in the state dict.</param>
    public string Write(GraphBuilder graph, string input, string name)
    {
        string squeezed = fc1.Write(graph, graph.Add("GlobalAveragePool", [input]), $"{name}.fc1");
        string scale = fc2.Write(graph, graph.Add("Relu", [squeezed]), $"{name}.fc2");
        return graph.Add("Mul", [input, graph.Add("HardSigmoid", [scale], ("alpha", 1f / 6), ("beta", 0.5f))]);
    }
}
