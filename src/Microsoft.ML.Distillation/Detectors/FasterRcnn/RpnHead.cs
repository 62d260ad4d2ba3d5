using Microsoft.ML.Distillation.Detectors.Backbones;
using Microsoft.ML.Distillation.Onnx;
using Microsoft.ML.Distillation.Tensors;
using TorchSharp;
using static TorchSharp.torch;

namespace Microsoft.ML.Distillation.Detectors;

/// <summary>The answer of the region proposal network (RPN) for a batch.</summary>
/// <param name="Objectness">[N,A] logits.</param>
/// <param name="Deltas">[N,A,4], in the coding of <see cref="FasterRcnn.RpnCoder"/>.</param>
internal sealed record RpnOutput(Tensor Objectness, Tensor Deltas);

/// <summary>The RPN's layers: a 3×3 convolution, then objectness and deltas for each anchor of a cell. All maps share them.</summary>
internal sealed class RpnHead : nn.Module
{
    // Named as in the state dict.
    private readonly ConvLayer conv;
    private readonly Convolution cls_logits;
    private readonly Convolution bbox_pred;

    /// <param name="ranks">See <see cref="BackboneNetwork.Create"/>.</param>
    public RpnHead(int from, int channels, int anchors, IReadOnlyDictionary<string, IReadOnlyList<int>> ranks)
        : base(nameof(RpnHead))
    {
        conv = new ConvLayer(from, channels, kernel: 3, stride: 1, groups: 1, bias: true, nn.init.FanInOut.FanOut);
        conv.Make(ranks.GetValueOrDefault(nameof(conv)));
        cls_logits = new Convolution(channels, anchors, 1);
        bbox_pred = new Convolution(channels, 4 * anchors, 1);
        nn.init.normal_(cls_logits.Weight, 0, 0.01);
        nn.init.normal_(bbox_pred.Weight, 0, 0.01);
        RegisterComponents();
    }

    public RpnOutput Run(IReadOnlyList<Tensor> maps)
    {
        using DisposeScope scope = NewDisposeScope();
        var logits = new List<Tensor>();
        var deltas = new List<Tensor>();
        foreach (Tensor map in maps)
        {
            Tensor hidden = conv.call(map).relu_();
            long images = map.shape[0];
            logits.Add(cls_logits.call(hidden).permute(0, 2, 3, 1).reshape(images, -1));
            deltas.Add(bbox_pred.call(hidden).permute(0, 2, 3, 1).reshape(images, -1, 4));
        }

        Tensor allLogits = logits.Count == 1 ? logits[0] : cat([.. logits], 1);
        Tensor allDeltas = deltas.Count == 1 ? deltas[0] : cat([.. deltas], 1);
        return new RpnOutput(allLogits.Single().MoveToOuterDisposeScope(), allDeltas.Single().MoveToOuterDisposeScope());
    }

    /// <summary>Writes the layers for one map; the values hold logits [A] and deltas [A,4] of one image.</summary>
    public (string Logits, string Deltas) Write(GraphBuilder graph, string map, string name)
    {
        string hidden = graph.Add("Relu", [conv.Write(graph, map, $"{name}.conv")]);
        return (
            Rows(cls_logits.Write(graph, hidden, $"{name}.cls_logits"), -1),
            Rows(bbox_pred.Write(graph, hidden, $"{name}.bbox_pred"), -1, 4));

        string Rows(string value, params ReadOnlySpan<long> shape)
        {
            string last = graph.Add("Transpose", [value], ("perm", new[] { 0, 2, 3, 1 }));
            return graph.Add("Reshape", [last, graph.Integers(shape)]);
        }
    }
}
