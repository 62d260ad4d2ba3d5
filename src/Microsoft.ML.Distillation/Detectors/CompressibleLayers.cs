using Microsoft.ML.Distillation.Compression;
using Microsoft.ML.Distillation.Data;
using Microsoft.ML.Distillation.Detectors.Backbones;
using TorchSharp;
using static TorchSharp.torch;

namespace Microsoft.ML.Distillation.Detectors;

/// <summary>The layers of a detector that can be taken apart, with their costs for one image and one region.</summary>
/// <param name="Backbone">The backbone's convolutions.</param>
/// <param name="Head">The head's fully connected layers.</param>
/// <param name="Further">Convolutions elsewhere: in the pyramid or neck, the RPN, the head of a one-stage detector.</param>
internal sealed record CompressibleLayers(IReadOnlyList<LayerShape> Backbone, IReadOnlyList<LayerShape> Head, IReadOnlyList<LayerShape> Further)
{
    /// <summary>What names of a backbone's layers start with.</summary>
    public const string BackbonePrefix = "backbone.";

    /// <summary>All of them.</summary>
    public IEnumerable<LayerShape> All => Backbone.Concat(Head).Concat(Further);

    /// <summary>The layers of a detector.</summary>
    public static CompressibleLayers Of<T>(T detector) where T : Detector, ICompressible<T>
    {
        ILookup<bool, LayerShape> convolutions = Convolutions(detector).ToLookup(l => l.Name.StartsWith(BackbonePrefix, StringComparison.Ordinal));
        return new CompressibleLayers([.. convolutions[true]], detector.FullyConnected, [.. convolutions[false]]);
    }

    /// <summary>Of the ranks of a network's layers those of one of its parts, by the names in the part's own state dict.</summary>
    /// <param name="prefix">What the names of the part's layers start with.</param>
    public static IReadOnlyDictionary<string, IReadOnlyList<int>> RanksUnder(string prefix, IReadOnlyDictionary<string, IReadOnlyList<int>> ranks) => ranks
        .Where(r => r.Key.StartsWith(prefix, StringComparison.Ordinal))
        .ToDictionary(r => r.Key[prefix.Length..], r => r.Value);

    /// <summary>The convolutions of a detector, seen at work on an empty image.</summary>
    private static IEnumerable<LayerShape> Convolutions<T>(T detector) where T : Detector, ICompressible<T>
    {
        using DisposeScope scope = NewDisposeScope();
        using IDisposable noGradients = no_grad();
        var shapes = new Dictionary<string, LayerShape>();
        var hooks = new List<Action>();
        foreach ((string name, ConvLayer layer) in ConvLayer.AllIn(detector))
        {
            var hook = layer.register_forward_hook((_, seen, made) =>
            {
                // A layer that works on several maps is seen several times.
                LayerShape shape = shapes.GetValueOrDefault(name) ?? new LayerShape(name, layer.From, layer.To, layer.Kernel, layer.Groups, 0, 0);
                shapes[name] = shape with { InPositions = shape.InPositions + Cells(seen), OutPositions = shape.OutPositions + Cells(made) };
                return made;
            });
            hooks.Add(hook.remove);
        }

        bool training = detector.training;
        detector.eval();
        detector.RunConvolutions(zeros(1, 3, detector.InputSize.Height, detector.InputSize.Width, device: detector.Device));
        detector.train(training);
        foreach (Action remove in hooks) remove();
        return shapes.Values;
    }

    private static long Cells(Tensor map) => map.shape[2] * map.shape[3];
}
