using Microsoft.ML.Distillation.Detectors.Backbones;
using Microsoft.ML.Distillation.Distributed;
using TorchSharp.Modules;
using static TorchSharp.torch;

namespace Microsoft.ML.Distillation.Detectors.Graphs;

/// <summary>An operator of a <see cref="GraphNetwork"/>.</summary>
/// <param name="done">The tensors that nothing needs after it.</param>
internal abstract class GraphStep(GraphNode node, IReadOnlyList<string> done)
{
    public GraphNode Node { get; } = node;

    /// <summary>Runs it, and lets go of what nothing needs any more.</summary>
    public void Run(GraphRun run)
    {
        Compute(run);
        foreach (string name in done) run.Forget(name);
    }

    /// <summary>Writes it into an ONNX graph.</summary>
    public abstract void Write(GraphWriter writer);

    protected abstract void Compute(GraphRun run);
}

/// <summary>An operator that has no module of its own.</summary>
internal sealed class OperatorStep(GraphNode node, IReadOnlyList<string> done) : GraphStep(node, done)
{
    public override void Write(GraphWriter writer) => writer.Write(Node);

    protected override void Compute(GraphRun run) => run.Execute(Node);
}

/// <summary>A ReLU in the place of a value that nothing else needs, not even for its gradient.</summary>
internal sealed class ReluStep(GraphNode node, IReadOnlyList<string> done) : GraphStep(node, done)
{
    // Their gradients need their inputs alone.
    private static readonly HashSet<string> Givers = ["Conv", "BatchNormalization", "Add"];

    /// <summary>Whether an operator is one.</summary>
    /// <param name="giver">What makes its input; null for the image.</param>
    /// <param name="uses">How many use its input.</param>
    public static bool Fits(GraphNode node, GraphNode? giver, int uses)
        => node.Op == "Relu" && uses == 1 && giver is not null && Givers.Contains(giver.Op);

    public override void Write(GraphWriter writer) => writer.Write(Node);

    protected override void Compute(GraphRun run)
    {
        Tensor value = run.Take(Node.Input(0)), outcome = value.relu_();
        if (!ReferenceEquals(value, outcome)) value.Dispose();
        run[Node.Outputs[0]] = GraphValue.Of(outcome);
    }
}

/// <summary>Swish, x · σ(x), of a sigmoid and a product; together they keep one value for the gradient rather than three.</summary>
internal sealed class SwishStep(GraphNode sigmoid, GraphNode product, IReadOnlyList<string> done) : GraphStep(product, done)
{
    /// <summary>Whether two operators are one.</summary>
    /// <param name="uses">How many use the sigmoid.</param>
    public static bool Fits(GraphNode? sigmoid, GraphNode product, int uses) => sigmoid?.Op == "Sigmoid" && product.Op == "Mul" && uses == 1
        && product.Inputs.Contains(sigmoid.Outputs[0]) && product.Inputs.Contains(sigmoid.Input(0));

    public override void Write(GraphWriter writer)
    {
        writer.Write(sigmoid);
        writer.Write(Node);
    }

    protected override void Compute(GraphRun run) => run[Node.Outputs[0]] = GraphValue.Of(run[sigmoid.Input(0)].Tensor.silu());
}

/// <summary>A convolution that can be taken apart and computed with few bits.</summary>
internal sealed class ConvStep(GraphNode node, IReadOnlyList<string> done, ConvLayer layer, string name) : GraphStep(node, done)
{
    public override void Write(GraphWriter writer)
        => writer[Node.Outputs[0]] = layer.Write(writer.Graph, writer[Node.Input(0)], writer.NameOf(name));

    protected override void Compute(GraphRun run) => run[Node.Outputs[0]] = GraphValue.Of(layer.call(run[Node.Input(0)].Tensor));
}

/// <summary>A batch normalisation that follows its batches in training.</summary>
/// <param name="conv">The convolution before it, into which few bits fold it; or none.</param>
internal sealed class NormStep(
    GraphNode node, IReadOnlyList<string> done, BatchNorm2d norm, ConvLayer? conv, string name) : GraphStep(node, done)
{
    /// <summary>
    /// The share of each batch in the running statistics. Not what the graph's own momentum says, which was right for its data set: where
    /// .01 of each batch enters, a short training on other images ends before the statistics have followed it.
    /// </summary>
    public const double Share = 0.1;

    public override void Write(GraphWriter writer)
    {
        string input = writer[Node.Input(0)];
        writer[Node.Outputs[0]] = conv?.Quantizer is not null ? input
            : OnnxLayers.BatchNorm(writer.Graph, input, norm, writer.NameOf(name));
    }

    protected override void Compute(GraphRun run)
    {
        Tensor input = run[Node.Input(0)].Tensor;
        run[Node.Outputs[0]] = GraphValue.Of(SharedBatchNorm.Run(input, norm, Share, run.SharedBy));
    }
}
