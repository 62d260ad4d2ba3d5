using Microsoft.ML.Distillation.Detectors.Quantization;
using Microsoft.ML.Distillation.Onnx;
using Microsoft.ML.Distillation.Tensors;
using TorchSharp;
using TorchSharp.Modules;
using static TorchSharp.torch;

namespace Microsoft.ML.Distillation.Detectors.Backbones;

/// <summary>
/// A square convolution that keeps its resolution but for the stride; parameters <c>weight</c> and <c>bias</c> as in torch.
/// </summary>
internal sealed class Convolution : nn.Module<Tensor, Tensor>, ILowPrecisionLayer
{
    // Named as in the state dict.
    private readonly Parameter weight;
    private readonly Parameter? bias;

    private readonly int _stride;
    private readonly int _groups;
    private readonly int _dilation;

    public Convolution(int from, int to, int kernel, int stride = 1, int groups = 1, bool bias = true, int dilation = 1)
        : base(nameof(Convolution))
    {
        weight = nn.Parameter(empty(to, from / groups, kernel, kernel));
        nn.init.kaiming_normal_(weight, mode: nn.init.FanInOut.FanOut, nonlinearity: nn.init.NonlinearityType.ReLU);
        this.bias = bias ? nn.Parameter(zeros(to)) : null;
        (_stride, _groups, _dilation) = (stride, groups, dilation);
        RegisterComponents();
    }

    /// <summary>[to, from/groups, kernel, kernel].</summary>
    public Tensor Weight => weight;

    public Tensor? Bias => bias;

    public LayerQuantizer? Quantizer { get; private set; }

    public bool IsWhole => true;

    public BatchNorm2d? Norm => null;

    public void Quantize(LowPrecision precision) => register_module("quantizer", Quantizer = new LayerQuantizer(precision));

    public override Tensor forward(Tensor input) => Quantizer is null
        ? Apply(input, weight, bias, _stride, _groups, _dilation)
        : Quantizer.Run(input, weight, (x, w) => Apply(x, w, bias, _stride, _groups, _dilation));

    /// <param name="name">The name of this module in the state dict.</param>
    public string Write(GraphBuilder graph, string input, string name)
        => OnnxLayers.Convolution(graph, input, this, _stride, _groups, _dilation, name);

    /// <summary>The convolution itself, in the input's type and in the order in memory that libtorch computes rightly.</summary>
    /// <param name="weight">[to, from/groups, kernel, kernel].</param>
    /// <param name="dilation">The distance in cells between the kernel's points.</param>
    public static Tensor Apply(Tensor input, Tensor weight, Tensor? bias, int stride, int groups, int dilation)
    {
        using DisposeScope scope = NewDisposeScope();
        (weight, bias) = (weight.As(input), bias?.As(input));
        if (weight.shape[2] == 1 && groups == 1) return Pointwise.Run(input, weight, bias, stride).MoveToOuterDisposeScope();
        Tensor pixels = input.stride(1) == 1 ? input : ChannelsLast.Of(input);
        long padding = dilation * (weight.shape[2] / 2);
        return nn.functional.conv2d(pixels, weight, bias, [stride, stride], [padding, padding], [dilation, dilation], groups)
            .MoveToOuterDisposeScope();
    }
}
