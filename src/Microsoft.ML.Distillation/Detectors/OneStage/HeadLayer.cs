using Microsoft.ML.Distillation.Detectors.Backbones;
using Microsoft.ML.Distillation.Onnx;
using TorchSharp;
using static TorchSharp.torch;
using BatchNorm2d = TorchSharp.Modules.BatchNorm2d;

namespace Microsoft.ML.Distillation.Detectors;

/// <summary>
/// A 3×3 layer of the head with ReLU. All maps share its convolutions; each map has a batch normalisation of its own, since the
/// maps' values are distributed differently and one running mean would fit none of them.
/// </summary>
internal sealed class HeadLayer : nn.Module
{
    private readonly List<ConvLayer> _convs = [];
    private readonly List<List<BatchNorm2d>> _norms = [];

    /// <param name="ranks">See <see cref="BackboneNetwork.Create"/>.</param>
    public HeadLayer(int channels, int levels, bool separable, IReadOnlyDictionary<string, IReadOnlyList<int>> ranks)
        : base(nameof(HeadLayer))
    {
        Add(3, groups: separable ? channels : 1);
        if (separable) Add(1, groups: 1);

        void Add(int kernel, int groups)
        {
            int index = _convs.Count;
            var conv = new ConvLayer(channels, channels, kernel, stride: 1, groups, bias: false, nn.init.FanInOut.FanOut);
            conv.Make(ranks.GetValueOrDefault($"conv{index}"));
            register_module($"conv{index}", conv);
            _convs.Add(conv);
            var norms = new List<BatchNorm2d>();
            for (int level = 0; level < levels; level++)
            {
                norms.Add(nn.BatchNorm2d(channels));
                register_module($"norm{index}_{level}", norms[level]);
            }

            _norms.Add(norms);
        }
    }

    /// <summary>The layer on one of the maps.</summary>
    public Tensor Run(Tensor map, int level)
    {
        using DisposeScope scope = NewDisposeScope();
        Tensor x = map;
        for (int i = 0; i < _convs.Count; i++)
        {
            BatchNorm2d norm = _norms[i][level];

            // Not norm.call: TorchSharp's module counts its batches with a temporary Scalar (see Tensors/Sums.cs).
            x = nn.functional.batch_norm(
                _convs[i].call(x), norm.running_mean!, norm.running_var!, norm.weight, norm.bias, norm.training, 0.1, norm.eps).relu_();
        }

        return x.MoveToOuterDisposeScope();
    }

    /// <param name="name">The name of this layer in the state dict.</param>
    public string Write(GraphBuilder graph, string map, string name, int level)
    {
        for (int i = 0; i < _convs.Count; i++)
        {
            string value = _convs[i].Write(graph, map, $"{name}.conv{i}");
            map = graph.Add("Relu", [OnnxLayers.BatchNorm(graph, value, _norms[i][level], $"{name}.norm{i}_{level}")]);
        }

        return map;
    }
}
