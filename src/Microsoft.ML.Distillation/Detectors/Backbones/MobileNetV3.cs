using Microsoft.ML.Distillation.Onnx;
using Microsoft.ML.Distillation.Tensors;
using TorchSharp;
using static Microsoft.ML.Distillation.Detectors.Backbones.Activation;
using static TorchSharp.torch;

namespace Microsoft.ML.Distillation.Detectors.Backbones;

/// <summary>
/// MobileNetV3 (Howard et al. 2019) as in torchvision, with its state dict (<c>features.0.0.weight</c>,
/// <c>features.1.block.0.0.weight</c>, …), without the last 1×1 convolution and the classifier. A stage starts where the
/// resolution halves, from stride 4 on.
/// </summary>
internal sealed class MobileNetV3 : BackboneNetwork
{
    /// <summary>The blocks of MobileNetV3-Small.</summary>
    public static readonly IReadOnlyList<InvertedResidualShape> Small =
    [
        new(3, 16, 16, true, Relu, 2),
        new(3, 72, 24, false, Relu, 2),
        new(3, 88, 24, false, Relu),
        new(5, 96, 40, true, HardSwish, 2),
        new(5, 240, 40, true, HardSwish),
        new(5, 240, 40, true, HardSwish),
        new(5, 120, 48, true, HardSwish),
        new(5, 144, 48, true, HardSwish),
        new(5, 288, 96, true, HardSwish, 2),
        new(5, 576, 96, true, HardSwish),
        new(5, 576, 96, true, HardSwish),
    ];

    /// <summary>The blocks of MobileNetV3-Large.</summary>
    public static readonly IReadOnlyList<InvertedResidualShape> Large =
    [
        new(3, 16, 16, false, Relu),
        new(3, 64, 24, false, Relu, 2),
        new(3, 72, 24, false, Relu),
        new(5, 72, 40, true, Relu, 2),
        new(5, 120, 40, true, Relu),
        new(5, 120, 40, true, Relu),
        new(3, 240, 80, false, HardSwish, 2),
        new(3, 200, 80, false, HardSwish),
        new(3, 184, 80, false, HardSwish),
        new(3, 184, 80, false, HardSwish),
        new(3, 480, 112, true, HardSwish),
        new(3, 672, 112, true, HardSwish),
        new(5, 672, 160, true, HardSwish, 2),
        new(5, 960, 160, true, HardSwish),
        new(5, 960, 160, true, HardSwish),
    ];

    private const int StemChannels = 16;

    private readonly ConvNorm _stem;
    private readonly List<InvertedResidual> _blocks = [];

    /// <summary>The number of blocks up to the end of each map's stage.</summary>
    private readonly List<int> _ends = [];
    private readonly List<FeatureMap> _maps = [];

    public MobileNetV3(IReadOnlyList<InvertedResidualShape> shapes, int stages, Descent descent)
        : base(nameof(MobileNetV3))
    {
        var features = new Group();
        register_module("features", features);
        var stem = new Group();
        features.register_module("0", stem);
        _stem = Layer(stem, 3, StemChannels, 3, descent.Step(2), 1, HardSwish);
        int from = StemChannels;
        for (int stage = 1; stage <= stages; stage++)
        {
            for (int end = BlocksOf(shapes, stage); _blocks.Count < end;)
            {
                InvertedResidualShape shape = shapes[_blocks.Count];
                var block = new InvertedResidual(from, shape, descent.Step(shape.Stride));
                _blocks.Add(block);
                features.register_module($"{_blocks.Count}", block);
                from = shape.To;
            }

            _ends.Add(_blocks.Count);
            _maps.Add(new FeatureMap($"stage{stage}", from, descent.Stride));
        }
    }

    public override IReadOnlyList<FeatureMap> Maps => _maps;

    /// <summary>The number of blocks in the first stages.</summary>
    public static int BlocksOf(IReadOnlyList<InvertedResidualShape> shapes, int stages)
    {
        int count = 0;
        for (int halvings = 0; count < shapes.Count; count++)
        {
            if (shapes[count].Stride == 2 && ++halvings > stages) break;
        }

        return count;
    }

    /// <summary>A layer with MobileNetV3's own settings of batch normalisation.</summary>
    public static ConvNorm Layer(nn.Module owner, int from, int to, int kernel, DescentStep step, int groups, Activation activation)
        => new(owner, ("0", "1"), from, to, kernel, step.Stride, groups, activation, 0.001, 0.01, step.Dilation);

    /// <summary>The nearest multiple of eight, but not less than nine tenths of the number.</summary>
    public static int MultipleOfEight(int channels)
    {
        int rounded = Math.Max(8, (channels + 4) / 8 * 8);
        return rounded < 0.9 * channels ? rounded + 8 : rounded;
    }

    public override IReadOnlyList<Tensor> Run(Tensor images)
    {
        using DisposeScope scope = NewDisposeScope();
        Tensor x = _stem.Run(images);
        var maps = new List<Tensor>();
        for (int i = 0; i < _blocks.Count; i++)
        {
            x = _blocks[i].call(x);
            if (_ends.Contains(i + 1)) maps.Add(x.MoveToOuterDisposeScope());
        }

        return maps;
    }

    public override IReadOnlyList<string> Write(GraphBuilder graph, string images, string name)
    {
        string x = _stem.Write(graph, images, $"{name}.features.0");
        var maps = new List<string>();
        for (int i = 0; i < _blocks.Count; i++)
        {
            x = _blocks[i].Write(graph, x, $"{name}.features.{i + 1}");
            if (_ends.Contains(i + 1)) maps.Add(x);
        }

        return maps;
    }
}

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

    public InvertedResidual(int from, InvertedResidualShape shape, DescentStep step)
        : base(nameof(InvertedResidual))
    {
        _adds = step.Stride == 1 && from == shape.To;
        var block = new Group();
        register_module("block", block);
        var whole = new DescentStep(1, 1, 1);
        if (shape.Expanded != from) AddLayer(block, from, shape.Expanded, 1, whole, 1, shape.Activation);
        AddLayer(block, shape.Expanded, shape.Expanded, shape.Kernel, step, shape.Expanded, shape.Activation);
        if (shape.Squeezes)
        {
            var squeeze = new SqueezeExcitation(shape.Expanded, MobileNetV3.MultipleOfEight(shape.Expanded / SqueezeFactor));
            block.register_module($"{_steps.Count}", squeeze);
            _steps.Add(($"block.{_steps.Count}", squeeze.call, squeeze.Write));
        }

        AddLayer(block, shape.Expanded, shape.To, 1, whole, 1, Activation.None);
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

    private void AddLayer(Group block, int from, int to, int kernel, DescentStep step, int groups, Activation activation)
    {
        var owner = new Group();
        block.register_module($"{_steps.Count}", owner);
        ConvNorm layer = MobileNetV3.Layer(owner, from, to, kernel, step, groups, activation);
        _steps.Add(($"block.{_steps.Count}", layer.Run, layer.Write));
    }
}

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
