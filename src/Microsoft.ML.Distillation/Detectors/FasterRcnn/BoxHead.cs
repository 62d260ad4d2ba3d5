using Microsoft.ML.Distillation.Detectors.Backbones;
using Microsoft.ML.Distillation.Onnx;
using TorchSharp;
using TorchSharp.Modules;
using static TorchSharp.torch;

namespace Microsoft.ML.Distillation.Detectors;

/// <summary>The answer of the box head (RCN) for R regions.</summary>
/// <param name="ClassLogits">[R,C+1], background first.</param>
/// <param name="Deltas">[R,C,4], or [R,1,4] where one regressor serves all classes, in the coding of <see cref="FasterRcnn.HeadCoder"/>.</param>
internal sealed record HeadOutput(Tensor ClassLogits, Tensor Deltas);

/// <summary>The box head's layers: one or two fully connected ones, then class scores and deltas.</summary>
internal sealed class BoxHead : nn.Module
{
    private readonly List<Linear> _layers = [];

    // Named as in the state dict.
    private readonly Linear cls_score;
    private readonly Linear bbox_pred;

    /// <param name="from">The values of a region: channels × cells.</param>
    /// <param name="regressors">The number of classes, or 1.</param>
    public BoxHead(int from, int width, int layers, int classes, int regressors)
        : base(nameof(BoxHead))
    {
        for (int i = 0; i < layers; i++)
        {
            Linear layer = nn.Linear(i == 0 ? from : width, width);
            nn.init.kaiming_uniform_(layer.weight!, a: 1);
            register_module($"fc{6 + i}", layer);
            _layers.Add(layer);
        }

        cls_score = nn.Linear(width, classes + 1);
        bbox_pred = nn.Linear(width, 4 * regressors);
        nn.init.normal_(cls_score.weight!, 0, 0.01);
        nn.init.normal_(bbox_pred.weight!, 0, 0.001);
        foreach (Linear layer in _layers.Append(cls_score).Append(bbox_pred)) nn.init.zeros_(layer.bias!);
        RegisterComponents();
    }

    /// <param name="regions">[R,C,S,S].</param>
    public HeadOutput Run(Tensor regions)
    {
        using DisposeScope scope = NewDisposeScope();
        Tensor x = regions.flatten(1);
        foreach (Linear layer in _layers) x = layer.call(x).relu_();
        return new HeadOutput(
            cls_score.call(x).MoveToOuterDisposeScope(),
            bbox_pred.call(x).view(x.shape[0], bbox_pred.out_features / 4, 4).MoveToOuterDisposeScope());
    }

    /// <summary>Writes the layers; the values hold class logits [R,C+1] and deltas [R,4 × regressors].</summary>
    public (string Logits, string Deltas) Write(GraphBuilder graph, string regions, string name)
    {
        string x = graph.Add("Flatten", [regions], ("axis", 1));
        for (int i = 0; i < _layers.Count; i++)
            x = graph.Add("Relu", [OnnxLayers.Linear(graph, x, _layers[i], $"{name}.fc{6 + i}")]);
        return (
            OnnxLayers.Linear(graph, x, cls_score, $"{name}.cls_score"),
            OnnxLayers.Linear(graph, x, bbox_pred, $"{name}.bbox_pred"));
    }
}
