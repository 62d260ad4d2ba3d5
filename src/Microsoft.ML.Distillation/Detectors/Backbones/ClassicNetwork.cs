using Microsoft.ML.Distillation.Detectors.Quantization;
using Microsoft.ML.Distillation.Onnx;
using Microsoft.ML.Distillation.Tensors;
using TorchSharp;
using TorchSharp.Modules;
using static TorchSharp.torch;

namespace Microsoft.ML.Distillation.Detectors.Backbones;

/// <summary>
/// The convolutions of AlexNet, VGG-M or VGG16 up to conv5, without the pooling behind it, whose place the pooling of regions
/// takes. Every layer pads so that a stride of s makes ⌈w/s⌉ cells of w, as the detector's anchors expect; torchvision's AlexNet
/// pads less and loses a cell at the borders.
/// </summary>
internal sealed class ClassicNetwork : BackboneNetwork
{
    // Krizhevsky et al. 2012, section 3.3.
    private const int NeighbourChannels = 5;
    private const double NeighbourScale = 5e-4;
    private const double NeighbourPower = 0.75;
    private const double NeighbourBias = 2;

    private readonly List<(ClassicConv Shape, ConvLayer Layer, bool Pools)> _layers = [];
    private readonly List<FeatureMap> _maps = [];

    public ClassicNetwork(ClassicShape shape, int stages, Descent descent)
        : base(nameof(ClassicNetwork))
    {
        int from = 3;
        foreach (ClassicConv conv in shape.Convolutions)
        {
            if (_maps.Count == stages) break;
            bool pools = conv.Pool > 0 && descent.Step(2).Stride > 1;
            DescentStep step = descent.Step(conv.Stride);
            var layer = new ConvLayer(from, conv.To, conv.Kernel, step.Stride, 1, bias: true, nn.init.FanInOut.FanIn, step.Dilation);
            Group.Register(this, conv.Name, layer);
            _layers.Add((conv, layer, pools));
            from = conv.To;
            if (conv.Map is not null) _maps.Add(new FeatureMap(conv.Map, from, descent.Stride));
        }
    }

    public override IReadOnlyList<FeatureMap> Maps => _maps;

    public override IReadOnlyList<Tensor> Run(Tensor images)
    {
        using DisposeScope scope = NewDisposeScope();
        Tensor x = images;
        var maps = new List<Tensor>();
        foreach ((ClassicConv shape, ConvLayer layer, bool pools) in _layers)
        {
            if (pools) x = nn.functional.max_pool2d(x, shape.Pool, 2, shape.Pool / 3, ceil_mode: shape.Pool == 2);
            x = layer.call(x).relu_();
            if (shape.Normalises)
                x = nn.functional.local_response_norm(x.Single(), NeighbourChannels, NeighbourScale, NeighbourPower, NeighbourBias)
                    .As(images);
            if (shape.Map is not null) maps.Add(x.MoveToOuterDisposeScope());
        }

        return maps;
    }

    public override IReadOnlyList<string> Write(GraphBuilder graph, string images, string name)
    {
        string x = images;
        var maps = new List<string>();
        foreach ((ClassicConv shape, ConvLayer layer, bool pools) in _layers)
        {
            if (pools) x = OnnxLayers.MaxPool(graph, x, shape.Pool, 2, shape.Pool / 3, ceiling: shape.Pool == 2);
            x = graph.Add("Relu", [layer.Write(graph, x, $"{name}.{shape.Name}")]);
            if (shape.Normalises)
            {
                x = graph.Add(
                    "LRN", [x], ("size", NeighbourChannels), ("alpha", NeighbourScale), ("beta", NeighbourPower), ("bias", NeighbourBias));
            }

            if (shape.Map is not null) maps.Add(x);
        }

        return maps;
    }
}

/// <summary>A convolution of a classic network: with bias and ReLU, without batch normalisation.</summary>
/// <param name="Name">Its name in the state dict.</param>
/// <param name="Map">The name of the map that it finishes; null where the next convolution goes on.</param>
/// <param name="Pool">The size of the max pooling before it, of stride 2; 0 for none.</param>
/// <param name="Normalises">Whether local response normalisation follows.</param>
internal sealed record ClassicConv(string Name, string? Map, int To, int Kernel, int Stride = 1, int Pool = 0, bool Normalises = false);

/// <summary>
/// A classification network of the first years of deep detectors: convolutions up to conv5 at stride 16, and two wide fully
/// connected layers that serve as the detector's head.
/// </summary>
/// <param name="RegionSize">The cells on each side of a pooled region, as the first fully connected layer expects them.</param>
/// <param name="HeadWidths">The widths of the two fully connected layers.</param>
/// <param name="HeadNames">The names of these layers in checkpoints.</param>
/// <param name="Classifier">The name of the classification layer in checkpoints.</param>
internal sealed record ClassicShape(
    IReadOnlyList<ClassicConv> Convolutions, int RegionSize, IReadOnlyList<int> HeadWidths, IReadOnlyList<string> HeadNames,
    string Classifier)
{
    /// <summary>
    /// AlexNet (Krizhevsky et al. 2012) in the widths of its second version (Krizhevsky, "One weird trick", 2014), as in
    /// torchvision.
    /// </summary>
    public static ClassicShape AlexNet { get; } = new(
        [
            new("features.0", "conv1", 64, 11, Stride: 4),
            new("features.3", "conv2", 192, 5, Pool: 3),
            new("features.6", "conv3", 384, 3, Pool: 3),
            new("features.8", "conv4", 256, 3),
            new("features.10", "conv5", 256, 3),
        ],
        6, [4096, 4096], ["classifier.1", "classifier.4"], "classifier.6");

    /// <summary>
    /// VGG-M with a second fully connected layer of 1024 (CNN-M-1024; Chatfield et al., "Return of the Devil in the Details", 2014).
    /// </summary>
    public static ClassicShape VggM { get; } = new(
        [
            new("conv1", "conv1", 96, 7, Stride: 2, Normalises: true),
            new("conv2", "conv2", 256, 5, Stride: 2, Pool: 3, Normalises: true),
            new("conv3", "conv3", 512, 3, Pool: 3),
            new("conv4", "conv4", 512, 3),
            new("conv5", "conv5", 512, 3),
        ],
        6, [4096, 1024], ["fc6", "fc7"], "fc8");

    /// <summary>VGG16 (Simonyan and Zisserman 2014), as in torchvision.</summary>
    public static ClassicShape Vgg16 { get; } = new(
        [
            new("features.0", null, 64, 3),
            new("features.2", "conv1", 64, 3),
            new("features.5", null, 128, 3, Pool: 2),
            new("features.7", "conv2", 128, 3),
            new("features.10", null, 256, 3, Pool: 2),
            new("features.12", null, 256, 3),
            new("features.14", "conv3", 256, 3),
            new("features.17", null, 512, 3, Pool: 2),
            new("features.19", null, 512, 3),
            new("features.21", "conv4", 512, 3),
            new("features.24", null, 512, 3, Pool: 2),
            new("features.26", null, 512, 3),
            new("features.28", "conv5", 512, 3),
        ],
        7, [4096, 4096], ["classifier.0", "classifier.3"], "classifier.6");

    /// <summary>The shape of a family, or null where it is none of these.</summary>
    public static ClassicShape? Of(BackboneKind kind) => kind switch
    {
        BackboneKind.AlexNet => AlexNet,
        BackboneKind.VggM => VggM,
        BackboneKind.Vgg16 => Vgg16,
        _ => null,
    };

    /// <summary>Whether a detector's head has the shape that the fully connected layers of checkpoints fit.</summary>
    public bool HasHead(FasterRcnnConfig config) => config.RoiSize == RegionSize && config.HeadWidths.SequenceEqual(HeadWidths)
        && config.Backbone.FpnChannels is null && (config.Backbone.Stages ?? Stages) == Stages;

    /// <summary>The names of the convolutions behind the first stages.</summary>
    public IEnumerable<string> Beyond(int stages)
    {
        int maps = 0;
        foreach (ClassicConv conv in Convolutions)
        {
            if (maps == stages) yield return conv.Name;
            else if (conv.Map is not null) maps++;
        }
    }

    /// <summary>The number of maps.</summary>
    public int Stages => Convolutions.Count(c => c.Map is not null);
}

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
