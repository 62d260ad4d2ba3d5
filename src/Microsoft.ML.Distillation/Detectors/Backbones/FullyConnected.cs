using Microsoft.ML.Distillation.Detectors.Quantization;
using Microsoft.ML.Distillation.Onnx;
using Microsoft.ML.Distillation.Tensors;
using TorchSharp;
using TorchSharp.Modules;
using static TorchSharp.torch;

namespace Microsoft.ML.Distillation.Detectors.Backbones;

/// <summary>A fully connected layer; parameters <c>weight</c> and <c>bias</c> as in torch, and at first as random as there.</summary>
internal sealed class FullyConnected : nn.Module<Tensor, Tensor>, ILowPrecisionLayer
{
    // Named as in the state dict.
    private readonly Parameter weight;
    private readonly Parameter? bias;

    public FullyConnected(int from, int to, bool hasBias = true)
        : base(nameof(FullyConnected))
    {
        Linear initial = nn.Linear(from, to, hasBias);
        (weight, bias) = (initial.weight!, initial.bias);
        RegisterComponents();
    }

    public LayerQuantizer? Quantizer { get; private set; }

    public bool IsWhole => true;

    /// <summary>[to,from].</summary>
    public Tensor Weight => weight;

    public Tensor? Bias => bias;

    public BatchNorm2d? Norm => null;

    public void Quantize(LowPrecision precision) => register_module("quantizer", Quantizer = new LayerQuantizer(precision));

    public override Tensor forward(Tensor input)
        => Quantizer is null ? Apply(input, weight) : Quantizer.Run(input, weight, Apply);

    private Tensor Apply(Tensor input, Tensor values)
    {
        using DisposeScope scope = NewDisposeScope();
        return nn.functional.linear(input, values.As(input), bias?.As(input)).MoveToOuterDisposeScope();
    }

    /// <param name="name">The name of this module in the state dict.</param>
    public string Write(GraphBuilder graph, string input, string name) => OnnxLayers.Linear(graph, input, this, name);
}
