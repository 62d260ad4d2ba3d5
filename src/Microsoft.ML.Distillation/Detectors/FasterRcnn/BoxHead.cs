using Microsoft.ML.Distillation.Detectors.Backbones;
using Microsoft.ML.Distillation.Onnx;
using Microsoft.ML.Distillation.Tensors;
using TorchSharp;
using static TorchSharp.torch;

namespace Microsoft.ML.Distillation.Detectors;

/// <summary>The answer of the box head (RCN) for R regions.</summary>
/// <param name="ClassLogits">[R,C+1], background first.</param>
/// <param name="Deltas">[R,C,4], or [R,1,4] where one regressor serves all classes, in the coding of <see cref="FasterRcnn.HeadCoder"/>.</param>
internal sealed record HeadOutput(Tensor ClassLogits, Tensor Deltas);

/// <summary>The box head's layers: one or two fully connected ones, then class scores and deltas.</summary>
internal sealed class BoxHead : nn.Module
{
    private readonly List<nn.Module<Tensor, Tensor>> _layers = [];
    private readonly float _dropout;

    // Named as in the state dict.
    private readonly FullyConnected cls_score;
    private readonly FullyConnected bbox_pred;

    /// <param name="from">The values of a region: channels × cells.</param>
    /// <param name="widths">The widths of the layers before the predictors.</param>
    /// <param name="ranks">For layers in parts, by their names in the detector's state dict, the values in the middle.</param>
    /// <param name="dropout">The share of their values that is dropped in training.</param>
    /// <param name="regressors">The number of classes, or 1.</param>
    public BoxHead(int from, IReadOnlyList<int> widths, IReadOnlyDictionary<string, IReadOnlyList<int>> ranks, float dropout, int classes, int regressors)
        : base(nameof(BoxHead))
    {
        _dropout = dropout;
        for (int i = 0; i < widths.Count; i++)
        {
            _layers.Add(ranks.TryGetValue(LayerName(i), out IReadOnlyList<int>? rank)
                ? new LowRankLinear(from, widths[i], rank[0])
                : Whole(from, widths[i]));
            register_module($"fc{6 + i}", _layers[i]);
            from = widths[i];
        }

        cls_score = new FullyConnected(from, classes + 1);
        bbox_pred = new FullyConnected(from, 4 * regressors);
        nn.init.normal_(cls_score.Weight, 0, 0.01);
        nn.init.normal_(bbox_pred.Weight, 0, 0.001);
        foreach (FullyConnected layer in (FullyConnected[])[cls_score, bbox_pred]) nn.init.zeros_(layer.Bias!);
        RegisterComponents();
    }

    /// <summary>The name of a layer before the predictors in the detector's state dict.</summary>
    public static string LayerName(int index) => $"head.fc{6 + index}";

    /// <param name="regions">[R,C,S,S].</param>
    public HeadOutput Run(Tensor regions)
    {
        using DisposeScope scope = NewDisposeScope();
        Tensor x = regions.flatten(1);
        foreach (nn.Module<Tensor, Tensor> layer in _layers)
        {
            x = layer.call(x).relu_();
            if (_dropout > 0) x = nn.functional.dropout(x, _dropout, training);
        }

        return new HeadOutput(
            cls_score.call(x).Single().MoveToOuterDisposeScope(),
            bbox_pred.call(x).Single().view(x.shape[0], bbox_pred.Weight.shape[0] / 4, 4).MoveToOuterDisposeScope());
    }

    /// <summary>Writes the layers; the values hold class logits [R,C+1] and deltas [R,4 × regressors].</summary>
    public (string Logits, string Deltas) Write(GraphBuilder graph, string regions, string name)
    {
        string x = graph.Add("Flatten", [regions], ("axis", 1));
        for (int i = 0; i < _layers.Count; i++)
        {
            string layer = $"{name}.fc{6 + i}";
            x = graph.Add("Relu", [_layers[i] is LowRankLinear parts ? parts.Write(graph, x, layer) : ((FullyConnected)_layers[i]).Write(graph, x, layer)]);
        }

        return (
            cls_score.Write(graph, x, $"{name}.cls_score"),
            bbox_pred.Write(graph, x, $"{name}.bbox_pred"));
    }

    private static FullyConnected Whole(int from, int to)
    {
        var layer = new FullyConnected(from, to);
        nn.init.kaiming_uniform_(layer.Weight, a: 1);
        nn.init.zeros_(layer.Bias!);
        return layer;
    }
}
