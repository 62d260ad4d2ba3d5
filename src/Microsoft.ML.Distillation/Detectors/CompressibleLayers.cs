using Microsoft.ML.Distillation.Compression;
using Microsoft.ML.Distillation.Data;
using Microsoft.ML.Distillation.Detectors.Backbones;
using TorchSharp;
using static TorchSharp.torch;

namespace Microsoft.ML.Distillation.Detectors;

/// <summary>The layers of a detector that can be taken apart, with their costs for one image and one region.</summary>
internal sealed record CompressibleLayers(IReadOnlyList<LayerShape> Backbone, IReadOnlyList<LayerShape> Head)
{
    /// <summary>What names of a backbone's layers start with.</summary>
    public const string BackbonePrefix = "backbone.";

    /// <summary>The layers of a detector.</summary>
    public static CompressibleLayers Of<T>(T detector) where T : Detector, ICompressible<T>
        => new(Convolutions(detector.Backbone, detector.InputSize), detector.FullyConnected);

    /// <summary>Of the ranks of a detector's layers those of its backbone, by the names in the backbone's own state dict.</summary>
    public static IReadOnlyDictionary<string, IReadOnlyList<int>> BackboneRanks(IReadOnlyDictionary<string, IReadOnlyList<int>> ranks) => ranks
        .Where(r => r.Key.StartsWith(BackbonePrefix, StringComparison.Ordinal))
        .ToDictionary(r => r.Key[BackbonePrefix.Length..], r => r.Value);

    /// <summary>The convolutions of a network, seen at work on an empty image.</summary>
    private static List<LayerShape> Convolutions(BackboneNetwork network, ImageSize input)
    {
        using DisposeScope scope = NewDisposeScope();
        using IDisposable noGradients = no_grad();
        var shapes = new List<LayerShape>();
        var hooks = new List<Action>();
        foreach ((string name, ConvLayer layer) in network.Convolutions)
        {
            var hook = layer.register_forward_hook((_, seen, made) =>
            {
                shapes.Add(new LayerShape(
                    BackbonePrefix + name, layer.From, layer.To, layer.Kernel, layer.Groups, Cells(seen), Cells(made)));
                return made;
            });
            hooks.Add(hook.remove);
        }

        bool training = network.training;
        network.eval();
        network.Run(zeros(1, 3, input.Height, input.Width));
        network.train(training);
        foreach (Action remove in hooks) remove();
        return shapes;
    }

    private static long Cells(Tensor map) => map.shape[2] * map.shape[3];
}
