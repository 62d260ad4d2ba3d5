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
    private readonly Linear _scores;
    private readonly Linear _deltas;

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

        _scores = nn.Linear(width, classes + 1);
        _deltas = nn.Linear(width, 4 * regressors);
        nn.init.normal_(_scores.weight!, 0, 0.01);
        nn.init.normal_(_deltas.weight!, 0, 0.001);
        foreach (Linear layer in _layers.Append(_scores).Append(_deltas)) nn.init.zeros_(layer.bias!);
        register_module("cls_score", _scores);
        register_module("bbox_pred", _deltas);
    }

    /// <param name="regions">[R,C,S,S].</param>
    public HeadOutput Run(Tensor regions)
    {
        using DisposeScope scope = NewDisposeScope();
        Tensor x = regions.flatten(1);
        foreach (Linear layer in _layers) x = layer.call(x).relu_();
        return new HeadOutput(
            _scores.call(x).MoveToOuterDisposeScope(),
            _deltas.call(x).view(x.shape[0], -1, 4).MoveToOuterDisposeScope());
    }

    /// <summary>Writes the layers; the values hold class logits [R,C+1] and deltas [R,4 × regressors].</summary>
    public (string Logits, string Deltas) Write(GraphBuilder graph, string regions, string name)
    {
        string x = graph.Add("Flatten", [regions], ("axis", 1));
        for (int i = 0; i < _layers.Count; i++)
            x = graph.Add("Relu", [OnnxLayers.Linear(graph, x, _layers[i], $"{name}.fc{6 + i}")]);
        return (
            OnnxLayers.Linear(graph, x, _scores, $"{name}.cls_score"),
            OnnxLayers.Linear(graph, x, _deltas, $"{name}.bbox_pred"));
    }
}
