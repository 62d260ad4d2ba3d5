using Microsoft.ML.Distillation.Detectors.Quantization;
using Microsoft.ML.Distillation.Onnx;
using TorchSharp;
using TorchSharp.Modules;
using static TorchSharp.torch;

namespace Microsoft.ML.Distillation.Detectors.Backbones;

/// <summary>
/// A convolution that can be taken apart (see <see cref="CompressionOptions"/>). Whole, its state dict is the usual one,
/// <c>weight</c> and <c>bias</c>; in parts it is <c>reduce.weight</c>, <c>core.weight</c>, <c>expand.weight</c> and
/// <c>expand.bias</c>.
/// </summary>
internal sealed class ConvLayer : nn.Module<Tensor, Tensor>, ILowPrecisionLayer
{
    // Named as in the state dict. Null in a layer in parts.
    private Parameter? weight;
    private Parameter? bias;

    private readonly bool _hasBias;
    private readonly nn.init.FanInOut _fan;
    private readonly List<(string Name, Convolution Layer)> _parts = [];

    /// <param name="fan">Whether the random weights keep the size of values on the way forward or of gradients on the way back.</param>
    public ConvLayer(int from, int to, int kernel, int stride, int groups, bool bias, nn.init.FanInOut fan)
        : base(nameof(ConvLayer))
    {
        (From, To, Kernel, Stride, Groups) = (from, to, kernel, stride, groups);
        (_hasBias, _fan) = (bias, fan);
    }

    public int From { get; }

    public int To { get; }

    public int Kernel { get; }

    public int Stride { get; }

    public int Groups { get; }

    /// <summary>The weights [To,From/Groups,k,k] of the whole layer.</summary>
    public Tensor Weight => weight ?? throw new InvalidOperationException("The layer is in parts, or has no weights yet.");

    public Tensor? Bias => bias;

    public LayerQuantizer? Quantizer { get; private set; }

    public bool IsWhole => weight is not null;

    /// <summary>Gives the batch normalisation behind the layer. A function, since TorchSharp would register a module as a part of this one.</summary>
    public Func<BatchNorm2d>? NormSource { get; init; }

    public BatchNorm2d? Norm => NormSource?.Invoke();

    public void Quantize(LowPrecision precision) => register_module("quantizer", Quantizer = new LayerQuantizer(precision));

    public override Tensor forward(Tensor input)
    {
        if (Quantizer is not null) return Quantizer.Run(input, Weight, (x, w) => Convolution.Apply(x, w, bias, Stride, Groups));
        if (_parts.Count == 0) return Convolution.Apply(input, Weight, bias, Stride, Groups);

        using DisposeScope scope = NewDisposeScope();
        Tensor x = input;
        foreach ((_, Convolution part) in _parts) x = part.call(x);
        return x.MoveToOuterDisposeScope();
    }

    /// <summary>The layers of a network by their names in its state dict.</summary>
    public static IEnumerable<(string Name, ConvLayer Layer)> AllIn(nn.Module network)
    {
        foreach ((string name, nn.Module module) in network.named_modules())
        {
            if (module is ConvLayer layer) yield return (name, layer);
        }
    }

    /// <summary>Gives all layers of a network their weights, when their names are known.</summary>
    /// <param name="ranks">For the layers that are in parts, by their names in the network's state dict, the channels in the middle.</param>
    public static void MakeAll(nn.Module network, IReadOnlyDictionary<string, IReadOnlyList<int>>? ranks)
    {
        foreach ((string name, ConvLayer layer) in AllIn(network).ToList()) layer.Make(ranks?.GetValueOrDefault(name));
    }

    /// <summary>Gives the layer its weights, at random.</summary>
    /// <param name="ranks">The channels in the middle of a layer in parts; null for a whole one.</param>
    public void Make(IReadOnlyList<int>? ranks)
    {
        if (ranks is null)
        {
            weight = new Parameter(empty(To, From / Groups, Kernel, Kernel));
            nn.init.kaiming_normal_(weight, mode: _fan, nonlinearity: nn.init.NonlinearityType.ReLU);
            register_parameter(nameof(weight), weight);
            if (!_hasBias) return;
            bias = new Parameter(zeros(To));
            register_parameter(nameof(bias), bias);
            return;
        }

        if (Groups != 1) throw new InvalidOperationException("A convolution of several groups cannot be taken apart.");
        bool hasCore = Kernel > 1;
        Add("reduce", new Convolution(From, ranks[0], 1, hasCore ? 1 : Stride, bias: false), 1);
        if (hasCore) Add("core", new Convolution(ranks[0], ranks[1], Kernel, Stride, bias: false), 1);
        Add("expand", new Convolution(ranks[^1], To, 1, bias: _hasBias), Math.Sqrt(2));
    }

    /// <summary>Writes the layer into an ONNX graph.</summary>
    /// <param name="name">The name of this module in the state dict.</param>
    public string Write(GraphBuilder graph, string input, string name)
    {
        if (_parts.Count == 0) return OnnxLayers.Convolution(graph, input, this, Stride, Groups, name);
        foreach ((string part, Convolution layer) in _parts) input = layer.Write(graph, input, $"{name}.{part}");
        return input;
    }

    private void Add(string name, Convolution part, double gain)
    {
        double values = (double)part.Weight.NumberOfElements / part.Weight.shape[0];
        nn.init.normal_(part.Weight, 0, gain / Math.Sqrt(values));
        register_module(name, part);
        _parts.Add((name, part));
    }
}
