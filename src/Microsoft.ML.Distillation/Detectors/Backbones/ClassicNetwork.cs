using Microsoft.ML.Distillation.Onnx;
using Microsoft.ML.Distillation.Tensors;
using TorchSharp;
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

    public ClassicNetwork(ClassicShape shape, int stages, int outputStride)
        : base(nameof(ClassicNetwork))
    {
        int from = 3, stride = 1;
        foreach (ClassicConv conv in shape.Convolutions)
        {
            if (_maps.Count == stages) break;
            bool pools = conv.Pool > 0 && stride < outputStride;
            if (pools) stride *= 2;
            int step = stride < outputStride ? conv.Stride : 1;
            stride *= step;
            var layer = new ConvLayer(from, conv.To, conv.Kernel, step, 1, bias: true, nn.init.FanInOut.FanIn);
            Group.Register(this, conv.Name, layer);
            _layers.Add((conv, layer, pools));
            from = conv.To;
            if (conv.Map is not null) _maps.Add(new FeatureMap(conv.Map, from, stride));
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
                x = nn.functional.local_response_norm(x.Single(), NeighbourChannels, NeighbourScale, NeighbourPower, NeighbourBias).As(images);
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
