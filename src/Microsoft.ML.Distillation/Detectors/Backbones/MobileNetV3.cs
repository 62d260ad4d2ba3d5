using Microsoft.ML.Distillation.Onnx;
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

    public MobileNetV3(IReadOnlyList<InvertedResidualShape> shapes, int stages, int outputStride)
        : base(nameof(MobileNetV3))
    {
        var features = new Group();
        register_module("features", features);
        var stem = new Group();
        features.register_module("0", stem);
        _stem = Layer(stem, 3, StemChannels, 3, 2, 1, HardSwish);
        int from = StemChannels, stride = 2;
        for (int stage = 1; stage <= stages; stage++)
        {
            for (int end = BlocksOf(shapes, stage); _blocks.Count < end;)
            {
                InvertedResidualShape shape = shapes[_blocks.Count];
                int step = stride < outputStride ? shape.Stride : 1;
                var block = new InvertedResidual(from, shape, step);
                _blocks.Add(block);
                features.register_module($"{_blocks.Count}", block);
                (from, stride) = (shape.To, stride * step);
            }

            _ends.Add(_blocks.Count);
            _maps.Add(new FeatureMap($"stage{stage}", from, stride));
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
    public static ConvNorm Layer(nn.Module owner, int from, int to, int kernel, int stride, int groups, Activation activation)
        => new(owner, ("0", "1"), from, to, kernel, stride, groups, activation, epsilon: 0.001, momentum: 0.01);

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
