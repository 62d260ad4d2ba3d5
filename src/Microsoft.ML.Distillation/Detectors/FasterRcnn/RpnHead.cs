using Microsoft.ML.Distillation.Detectors.Backbones;
using Microsoft.ML.Distillation.Onnx;
using TorchSharp;
using TorchSharp.Modules;
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
    private readonly Conv2d conv;
    private readonly Conv2d cls_logits;
    private readonly Conv2d bbox_pred;

    public RpnHead(int from, int channels, int anchors)
        : base(nameof(RpnHead))
    {
        conv = nn.Conv2d(from, channels, 3, padding: 1L);
        cls_logits = nn.Conv2d(channels, anchors, 1);
        bbox_pred = nn.Conv2d(channels, 4 * anchors, 1);
        nn.init.kaiming_normal_(conv.weight!, nonlinearity: nn.init.NonlinearityType.ReLU);
        nn.init.normal_(cls_logits.weight!, 0, 0.01);
        nn.init.normal_(bbox_pred.weight!, 0, 0.01);
        foreach (Conv2d layer in new[] { conv, cls_logits, bbox_pred }) nn.init.zeros_(layer.bias!);
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
        return new RpnOutput(allLogits.MoveToOuterDisposeScope(), allDeltas.MoveToOuterDisposeScope());
    }

    /// <summary>Writes the layers for one map; the values hold logits [A] and deltas [A,4] of one image.</summary>
    public (string Logits, string Deltas) Write(GraphBuilder graph, string map, string name)
    {
        string hidden = graph.Add("Relu", [OnnxLayers.Conv(graph, map, conv, $"{name}.conv")]);
        return (
            Rows(OnnxLayers.Conv(graph, hidden, cls_logits, $"{name}.cls_logits"), -1),
            Rows(OnnxLayers.Conv(graph, hidden, bbox_pred, $"{name}.bbox_pred"), -1, 4));

        string Rows(string value, params ReadOnlySpan<long> shape)
        {
            string last = graph.Add("Transpose", [value], ("perm", new[] { 0, 2, 3, 1 }));
            return graph.Add("Reshape", [last, graph.Integers(shape)]);
        }
    }
}
