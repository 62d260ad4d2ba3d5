using Microsoft.ML.Distillation.Detectors.Quantization;
using Microsoft.ML.Distillation.Distributed;
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
internal sealed class ConvLayer : nn.Module<Tensor, Tensor>, ILowPrecisionLayer, ISharedLayer
{
    // Named as in the state dict. Null in a layer in parts.
    private Parameter? weight;
    private Parameter? bias;

    private readonly bool _hasBias;
    private readonly nn.init.FanInOut _fan;
    private readonly List<(string Name, Convolution Layer)> _parts = [];

    /// <param name="fan">Whether the random weights keep the size of values on the way forward or of gradients on the way back.</param>
    /// <param name="dilation">The distance in cells between the kernel's points.</param>
    public ConvLayer(int from, int to, int kernel, int stride, int groups, bool bias, nn.init.FanInOut fan, int dilation = 1)
        : base(nameof(ConvLayer))
    {
        (From, To, Kernel, Stride, Groups, Dilation) = (from, to, kernel, stride, groups, dilation);
        (_hasBias, _fan) = (bias, fan);
    }

    public int From { get; }

    public int To { get; }

    public int Kernel { get; }

    public int Stride { get; }

    public int Groups { get; }

    public int Dilation { get; }

    /// <summary>The weights [To,From/Groups,k,k] of the whole layer.</summary>
    public Tensor Weight => weight ?? throw new InvalidOperationException("The layer is in parts, or has no weights yet.");

    public Tensor? Bias => bias;

    public LayerQuantizer? Quantizer { get; private set; }

    public bool IsWhole => weight is not null;

    /// <summary>
    /// Gives the batch normalisation behind the layer. A function, since TorchSharp would register a module as a part of this one.
    /// </summary>
    public Func<BatchNorm2d>? NormSource { get; init; }

    public BatchNorm2d? Norm => NormSource?.Invoke();

    /// <summary>Whose images the batch normalisation behind the layer sees.</summary>
    public RankGroup SharedBy { get; set; } = RankGroup.Alone;

    public void Quantize(LowPrecision precision) => register_module("quantizer", Quantizer = new LayerQuantizer(precision));

    public override Tensor forward(Tensor input)
    {
        if (Quantizer is not null) return Quantizer.Run(input, Weight, (x, w) => Convolution.Apply(x, w, bias, Stride, Groups, Dilation));
        if (_parts.Count == 0) return Convolution.Apply(input, Weight, bias, Stride, Groups, Dilation);

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
    /// <param name="ranks">
    /// For the layers that are in parts, by their names in the network's state dict, the channels in the middle.
    /// </param>
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
        if (hasCore) Add("core", new Convolution(ranks[0], ranks[1], Kernel, Stride, bias: false, dilation: Dilation), 1);
        Add("expand", new Convolution(ranks[^1], To, 1, bias: _hasBias), Math.Sqrt(2));
    }

    /// <summary>Writes the layer into an ONNX graph.</summary>
    /// <param name="name">The name of this module in the state dict.</param>
    public string Write(GraphBuilder graph, string input, string name)
    {
        if (_parts.Count == 0) return OnnxLayers.Convolution(graph, input, this, Stride, Groups, Dilation, name);
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
    /// <param name="dilation">The distance in cells between the kernel's points.</param>
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
        double momentum = 0.1,
        int dilation = 1)
    {
        _norm = nn.BatchNorm2d(to, epsilon, momentum);
        _conv = new ConvLayer(from, to, kernel, stride, groups, bias: false, nn.init.FanInOut.FanOut, dilation)
        {
            NormSource = () => _norm,
        };
        _names = names;
        _activation = activation;
        _momentum = momentum;
        owner.register_module(names.Conv, _conv);
        owner.register_module(names.Norm, _norm);
    }

    public Tensor Run(Tensor input)
    {
        using Tensor convolved = _conv.call(input);
        return _activation.Take(SharedBatchNorm.Run(convolved, _norm, _momentum, _conv.SharedBy));
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

/// <summary>What follows a convolution and its normalisation.</summary>
internal enum Activation
{
    None,
    Relu,

    /// <summary>x · min(max(x + 3, 0), 6) / 6 (Howard et al. 2019).</summary>
    HardSwish,
}

/// <summary>Activations in a network and in an ONNX graph.</summary>
internal static class ActivationExtensions
{
    /// <summary>Applies an activation to a value that nobody else needs; the value is disposed or reused.</summary>
    public static Tensor Take(this Activation activation, Tensor value)
    {
        if (activation == Activation.None) return value;
        if (activation == Activation.Relu) return value.relu_();
        using (value) return value.hardswish();
    }

    public static string Write(this Activation activation, GraphBuilder graph, string value) => activation switch
    {
        Activation.Relu => graph.Add("Relu", [value]),
        Activation.HardSwish => graph.Add("HardSwish", [value]),
        _ => value,
    };
}

/// <summary>A name level of a state dict, and nothing else.</summary>
internal sealed class Group() : nn.Module(nameof(Group))
{
    /// <summary>Registers a module under a name with dots, one group for each level.</summary>
    public static void Register(nn.Module owner, string name, nn.Module module)
    {
        int dot = name.IndexOf('.', StringComparison.Ordinal);
        if (dot < 0)
        {
            owner.register_module(name, module);
            return;
        }

        string level = name[..dot];
        nn.Module? group = owner.named_children().FirstOrDefault(c => c.name == level).module;
        if (group is null) owner.register_module(level, group = new Group());
        Register(group, name[(dot + 1)..], module);
    }
}
