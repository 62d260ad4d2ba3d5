using Microsoft.ML.Distillation.Onnx;
using TorchSharp;
using static TorchSharp.torch;

namespace Microsoft.ML.Distillation.Detectors.Backbones;

/// <summary>A few 3×3 convolutions; the first three halve the resolution. State dict: <c>conv1.weight</c>, <c>bn1.weight</c>, …</summary>
internal sealed class PlainNetwork : BackboneNetwork
{
    private const int Halvings = 3;

    private readonly List<ConvNorm> _layers = [];
    private readonly List<FeatureMap> _maps = [];

    public PlainNetwork(IReadOnlyList<int> widths, int stages, Descent descent)
        : base(nameof(PlainNetwork))
    {
        int from = 3;
        for (int i = 1; i <= stages; i++)
        {
            DescentStep step = descent.Step(i <= Halvings ? 2 : 1);
            _layers.Add(new ConvNorm(this, ($"conv{i}", $"bn{i}"), from, widths[i - 1], 3, step.Stride, dilation: step.Dilation));
            _maps.Add(new FeatureMap($"conv{i}", widths[i - 1], descent.Stride));
            from = widths[i - 1];
        }
    }

    public override IReadOnlyList<FeatureMap> Maps => _maps;

    public override IReadOnlyList<Tensor> Run(Tensor images)
    {
        using DisposeScope scope = NewDisposeScope();
        var maps = new List<Tensor>();
        foreach (ConvNorm layer in _layers)
            maps.Add(layer.Run(maps.Count == 0 ? images : maps[^1]).MoveToOuterDisposeScope());
        return maps;
    }

    public override IReadOnlyList<string> Write(GraphBuilder graph, string images, string name)
    {
        var maps = new List<string>();
        foreach (ConvNorm layer in _layers) maps.Add(layer.Write(graph, maps.Count == 0 ? images : maps[^1], name));
        return maps;
    }
}
