using Microsoft.ML.Distillation.Detectors.Boxes;
using Microsoft.ML.Distillation.Onnx;
using Microsoft.ML.Distillation.Tensors;
using TorchSharp;
using TorchSharp.Modules;
using static TorchSharp.torch;

namespace Microsoft.ML.Distillation.Detectors.Backbones;

/// <summary>
/// A square convolution that keeps its resolution but for the stride; parameters <c>weight</c> and <c>bias</c> as in torch.
/// </summary>
internal sealed class Convolution : nn.Module<Tensor, Tensor>
{
    // Named as in the state dict.
    private readonly Parameter weight;
    private readonly Parameter? bias;

    private readonly int _stride;
    private readonly int _groups;

    public Convolution(int from, int to, int kernel, int stride = 1, int groups = 1, bool bias = true)
        : base(nameof(Convolution))
    {
        weight = nn.Parameter(empty(to, from / groups, kernel, kernel));
        nn.init.kaiming_normal_(weight, mode: nn.init.FanInOut.FanOut, nonlinearity: nn.init.NonlinearityType.ReLU);
        this.bias = bias ? nn.Parameter(zeros(to)) : null;
        (_stride, _groups) = (stride, groups);
        RegisterComponents();
    }

    /// <summary>[to, from/groups, kernel, kernel].</summary>
    public Parameter Weight => weight;

    public override Tensor forward(Tensor input) => Apply(input, weight, bias, _stride, _groups);

    /// <param name="name">The name of this module in the state dict.</param>
    public string Write(GraphBuilder graph, string input, string name) => Write(graph, input, weight, bias, _stride, _groups, name);

    /// <summary>The convolution itself, in the order in memory that libtorch computes rightly.</summary>
    /// <param name="weight">[to, from/groups, kernel, kernel].</param>
    public static Tensor Apply(Tensor input, Tensor weight, Tensor? bias, int stride, int groups)
    {
        if (weight.shape[2] == 1 && groups == 1) return Pointwise.Run(input, weight, bias, stride);
        using DisposeScope scope = NewDisposeScope();
        Tensor pixels = input.stride(1) == 1 ? input : ChannelsLast.Of(input);
        return nn.functional.conv2d(pixels, weight, bias, [stride, stride], [weight.shape[2] / 2, weight.shape[3] / 2], groups: groups)
            .MoveToOuterDisposeScope();
    }

    /// <summary>Writes a convolution into an ONNX graph.</summary>
    /// <param name="name">The name of the convolution in the state dict.</param>
    public static string Write(GraphBuilder graph, string input, Tensor weight, Tensor? bias, int stride, int groups, string name)
    {
        string kernels = graph.Parameter($"{name}.weight", TensorArrays.Floats(weight), weight.shape);
        string[] inputs = bias is null
            ? [input, kernels]
            : [input, kernels, graph.Parameter($"{name}.bias", TensorArrays.Floats(bias), bias.shape)];
        long padding = weight.shape[2] / 2;
        return graph.Add(
            "Conv",
            inputs,
            ("kernel_shape", weight.shape[2..]),
            ("strides", new[] { stride, stride }),
            ("pads", new[] { padding, padding, padding, padding }),
            ("group", groups));
    }
}
