using Microsoft.ML.Distillation.Detectors.Backbones;
using Microsoft.ML.Distillation.Onnx;
using TorchSharp;
using static TorchSharp.torch;

namespace Microsoft.ML.Distillation.Detectors;

/// <summary>A fully connected layer in two parts (see <see cref="CompressionOptions"/>). State dict: <c>reduce.weight</c>, <c>expand.weight</c>, <c>expand.bias</c>.</summary>
internal sealed class LowRankLinear : nn.Module<Tensor, Tensor>
{
    // Named as in the state dict.
    private readonly FullyConnected reduce;
    private readonly FullyConnected expand;

    public LowRankLinear(int from, int to, int rank)
        : base(nameof(LowRankLinear))
    {
        reduce = new FullyConnected(from, rank, hasBias: false);
        expand = new FullyConnected(rank, to);
        nn.init.normal_(reduce.Weight, 0, 1 / Math.Sqrt(from));
        nn.init.normal_(expand.Weight, 0, 1 / Math.Sqrt(rank));
        nn.init.zeros_(expand.Bias!);
        RegisterComponents();
    }

    public override Tensor forward(Tensor input)
    {
        using Tensor reduced = reduce.call(input);
        return expand.call(reduced);
    }

    /// <param name="name">The name of this module in the state dict.</param>
    public string Write(GraphBuilder graph, string input, string name)
        => expand.Write(graph, reduce.Write(graph, input, $"{name}.reduce"), $"{name}.expand");
}
