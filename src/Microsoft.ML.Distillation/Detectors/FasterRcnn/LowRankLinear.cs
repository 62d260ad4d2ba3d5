using Microsoft.ML.Distillation.Detectors.Backbones;
using Microsoft.ML.Distillation.Onnx;
using TorchSharp;
using TorchSharp.Modules;
using static TorchSharp.torch;

namespace Microsoft.ML.Distillation.Detectors;

/// <summary>A fully connected layer in two parts (see <see cref="CompressionOptions"/>). State dict: <c>reduce.weight</c>, <c>expand.weight</c>, <c>expand.bias</c>.</summary>
internal sealed class LowRankLinear : nn.Module<Tensor, Tensor>
{
    // Named as in the state dict.
    private readonly Linear reduce;
    private readonly Linear expand;

    public LowRankLinear(int from, int to, int rank)
        : base(nameof(LowRankLinear))
    {
        reduce = nn.Linear(from, rank, hasBias: false);
        expand = nn.Linear(rank, to);
        nn.init.normal_(reduce.weight!, 0, 1 / Math.Sqrt(from));
        nn.init.normal_(expand.weight!, 0, 1 / Math.Sqrt(rank));
        nn.init.zeros_(expand.bias!);
        RegisterComponents();
    }

    public override Tensor forward(Tensor input)
    {
        using Tensor reduced = reduce.call(input);
        return expand.call(reduced);
    }

    /// <param name="name">The name of this module in the state dict.</param>
    public string Write(GraphBuilder graph, string input, string name)
        => OnnxLayers.Linear(graph, OnnxLayers.Linear(graph, input, reduce, $"{name}.reduce"), expand, $"{name}.expand");
}
