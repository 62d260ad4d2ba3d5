using Microsoft.ML.Distillation.Onnx;
using TorchSharp;
using static TorchSharp.torch;

namespace Microsoft.ML.Distillation.Detectors.Backbones;

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

    public ShuffleBlock(int from, int to, int stride, bool split)
        : base(nameof(ShuffleBlock))
    {
        _half = to / 2;
        var branch1 = new Group();
        register_module("branch1", branch1);
        if (!split)
        {
            _passing.Add(new ConvNorm(branch1, ("0", "1"), from, from, 3, stride, groups: from, activation: Activation.None));
            _passing.Add(new ConvNorm(branch1, ("2", "3"), from, _half, 1));
        }

        var branch2 = new Group();
        register_module("branch2", branch2);
        _working.Add(new ConvNorm(branch2, ("0", "1"), split ? _half : from, _half, 1));
        _working.Add(new ConvNorm(branch2, ("3", "4"), _half, _half, 3, stride, groups: _half, activation: Activation.None));
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
        string joined = graph.Add("Concat", [graph.Add("Unsqueeze", [passing, axis]), graph.Add("Unsqueeze", [working, axis])], ("axis", 2));

        // [N,C/2,2,h,w] to [N,C,h,w]: h and w are the dimensions 3 and 4 of what is reshaped.
        string size = graph.Add("Shape", [joined], ("start", 3));
        string shape = graph.Add("Concat", [graph.Integers(0, 2 * _half), size], ("axis", 0));
        return graph.Add("Reshape", [joined, shape]);
    }
}
