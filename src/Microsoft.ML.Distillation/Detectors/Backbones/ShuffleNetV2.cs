using Microsoft.ML.Distillation.Onnx;
using TorchSharp;
using static TorchSharp.torch;

namespace Microsoft.ML.Distillation.Detectors.Backbones;

/// <summary>
/// ShuffleNetV2 (Ma et al. 2018) as in torchvision, with its state dict (<c>conv1.0.weight</c>, <c>stage2.0.branch1.0.weight</c>,
/// …), without <c>conv5</c> and the classifier.
/// </summary>
internal sealed class ShuffleNetV2 : BackboneNetwork
{
    /// <summary>The channels of the three stages at ×0.5.</summary>
    public static readonly IReadOnlyList<int> HalfWidth = [48, 96, 192];

    /// <summary>The channels of the three stages at ×1.0.</summary>
    public static readonly IReadOnlyList<int> FullWidth = [116, 232, 464];

    private const int StemChannels = 24;
    private const int Pool = 2;

    /// <summary>The blocks of the three stages.</summary>
    public static readonly IReadOnlyList<int> Blocks = [4, 8, 4];

    private readonly ConvNorm _stem;
    private readonly List<(string Name, List<ShuffleBlock> Blocks)> _stages = [];
    private readonly List<FeatureMap> _maps = [];
    private readonly bool _givesStem;

    /// <param name="givesStem">Whether what goes into the first stage, of stride 4, is a map too.</param>
    public ShuffleNetV2(IReadOnlyList<int> widths, int stages, Descent descent, bool givesStem = false)
        : base(nameof(ShuffleNetV2))
    {
        var stem = new Group();
        register_module("conv1", stem);
        _stem = new ConvNorm(stem, ("0", "1"), 3, StemChannels, 3, descent.Step(2).Stride);
        descent.Step(Pool);
        _givesStem = givesStem;
        if (givesStem) _maps.Add(new FeatureMap("stem", StemChannels, descent.Stride));
        int from = StemChannels;
        for (int i = 0; i < stages; i++)
        {
            var stage = new List<ShuffleBlock> { new(from, widths[i], descent.Step(2), split: false) };
            for (int b = 1; b < Blocks[i]; b++) stage.Add(new ShuffleBlock(widths[i], widths[i], descent.Step(1), split: true));

            from = widths[i];
            string name = $"stage{i + 2}";
            register_module(name, nn.Sequential(stage.ToArray()));
            _stages.Add((name, stage));
            _maps.Add(new FeatureMap(name, from, descent.Stride));
        }
    }

    public override IReadOnlyList<FeatureMap> Maps => _maps;

    public override IReadOnlyList<Tensor> Run(Tensor images)
    {
        using DisposeScope scope = NewDisposeScope();
        Tensor x = nn.functional.max_pool2d(_stem.Run(images), 3, Pool, 1);
        var maps = new List<Tensor>();
        if (_givesStem) maps.Add(x.MoveToOuterDisposeScope());
        foreach ((_, List<ShuffleBlock> blocks) in _stages)
        {
            foreach (ShuffleBlock block in blocks) x = block.call(x);
            maps.Add(x.MoveToOuterDisposeScope());
        }

        return maps;
    }

    public override IReadOnlyList<string> Write(GraphBuilder graph, string images, string name)
    {
        string x = OnnxLayers.MaxPool(graph, _stem.Write(graph, images, $"{name}.conv1"), 3, Pool, 1);
        var maps = new List<string>();
        if (_givesStem) maps.Add(x);
        foreach ((string stage, List<ShuffleBlock> blocks) in _stages)
        {
            for (int b = 0; b < blocks.Count; b++) x = blocks[b].Write(graph, x, $"{name}.{stage}.{b}");
            maps.Add(x);
        }

        return maps;
    }
}

/// <summary>
/// A block of ShuffleNetV2. Within a stage it splits the channels: one half passes, the other goes through 1×1, depthwise
/// 3×3, 1×1. At the start of a stage both branches see all channels, and the first has a depthwise 3×3 and a 1×1 of its own.
/// The halves are joined and their channels interleaved.
/// </summary>
internal sealed class ShuffleBlock : nn.Module<Tensor, Tensor>
{
    private readonly int _half;
    private readonly List<ConvNorm> _passing = [];
    private readonly List<ConvNorm> _working = [];

    public ShuffleBlock(int from, int to, DescentStep step, bool split)
        : base(nameof(ShuffleBlock))
    {
        _half = to / 2;
        var branch1 = new Group();
        register_module("branch1", branch1);
        if (!split)
        {
            _passing.Add(
                new ConvNorm(branch1, ("0", "1"), from, from, 3, step.Stride, from, Activation.None, dilation: step.Dilation));
            _passing.Add(new ConvNorm(branch1, ("2", "3"), from, _half, 1));
        }

        var branch2 = new Group();
        register_module("branch2", branch2);
        _working.Add(new ConvNorm(branch2, ("0", "1"), split ? _half : from, _half, 1));
        _working.Add(
            new ConvNorm(branch2, ("3", "4"), _half, _half, 3, step.Stride, _half, Activation.None, dilation: step.Dilation));
        _working.Add(new ConvNorm(branch2, ("5", "6"), _half, _half, 1));
    }

    private bool Splits => _passing.Count == 0;

    public override Tensor forward(Tensor input)
    {
        using DisposeScope scope = NewDisposeScope();
        Tensor passing = Splits ? input.narrow(1, 0, _half) : input;
        Tensor working = Splits ? input.narrow(1, _half, _half) : input;
        foreach (ConvNorm layer in _passing) passing = layer.Run(passing);
        foreach (ConvNorm layer in _working) working = layer.Run(working);

        // Stacking on a new axis behind the channels interleaves them: channel c of each half becomes 2c and 2c + 1. The channels
        // are moved to the end for it, which costs nothing in the order in memory that the maps have.
        Tensor interleaved = stack([passing.permute(0, 2, 3, 1), working.permute(0, 2, 3, 1)], 4).flatten(3);
        return interleaved.permute(0, 3, 1, 2).MoveToOuterDisposeScope();
    }

    /// <param name="name">The name of this block in the state dict.</param>
    public string Write(GraphBuilder graph, string input, string name)
    {
        string passing = input, working = input;
        if (Splits)
        {
            string[] halves = graph.Add("Split", [input, graph.Integers(_half, _half)], 2, ("axis", 1));
            (passing, working) = (halves[0], halves[1]);
        }

        foreach (ConvNorm layer in _passing) passing = layer.Write(graph, passing, $"{name}.branch1");
        foreach (ConvNorm layer in _working) working = layer.Write(graph, working, $"{name}.branch2");
        string axis = graph.Integers(2);
        string joined = graph.Add("Concat", [graph.Add("Unsqueeze", [passing, axis]), graph.Add("Unsqueeze", [working, axis])],
            ("axis", 2));

        // [N,C/2,2,h,w] to [N,C,h,w]: h and w are the dimensions 3 and 4 of what is reshaped.
        string size = graph.Add("Shape", [joined], ("start", 3));
        string shape = graph.Add("Concat", [graph.Integers(0, 2 * _half), size], ("axis", 0));
        return graph.Add("Reshape", [joined, shape]);
    }
}
