using Microsoft.ML.Distillation.Images;
using Microsoft.ML.Distillation.Onnx;
using static TorchSharp.torch;

namespace Microsoft.ML.Distillation.Detectors.Backbones;

/// <summary>A feature map that a network makes.</summary>
/// <param name="Stride">Pixels of the input for one cell.</param>
internal readonly record struct FeatureMap(string Name, int Channels, int Stride);

/// <summary>A network from images to feature maps, one for each stage.</summary>
internal abstract class BackboneNetwork(string name) : nn.Module(name)
{
    /// <summary>What <see cref="Run"/> returns, in order of depth.</summary>
    public abstract IReadOnlyList<FeatureMap> Maps { get; }

    /// <summary>The maps [N,C,h,w] of normalised images [N,3,H,W], in order of depth.</summary>
    public abstract IReadOnlyList<Tensor> Run(Tensor images);

    /// <summary>The convolutions by their names in the state dict.</summary>
    public IEnumerable<(string Name, ConvLayer Layer)> Convolutions => ConvLayer.AllIn(this);

    /// <summary>Writes the network into an ONNX graph.</summary>
    /// <param name="name">The name of this module in the state dict.</param>
    /// <returns>The values that hold the maps, in order of depth.</returns>
    public abstract IReadOnlyList<string> Write(GraphBuilder graph, string images, string name);

    /// <summary>The network of a backbone.</summary>
    /// <param name="outputStride">The largest stride of a map.</param>
    /// <param name="ranks">
    /// For the convolutions that are in parts, by their names in the network's state dict, the channels in the middle.
    /// </param>
    /// <param name="input">The size of the images, which matters to ONNX graphs alone; <see langword="null"/>: the graph's own.</param>
    /// <param name="givesStem">
    /// Whether a network whose first stage ends at stride 8 also gives the map of stride 4 that its stem makes.
    /// </param>
    public static BackboneNetwork Create(
        Backbone backbone, int outputStride, IReadOnlyDictionary<string, IReadOnlyList<int>>? ranks = null, ImageSize? input = null,
        bool givesStem = false)
    {
        if (backbone.Graph is { } graph)
            return graph.Network(backbone.Stages, outputStride, input, ranks, fresh: backbone.Weights.Choice == WeightsChoice.None);
        BackboneNetwork network = Shape(backbone, outputStride, givesStem);
        ConvLayer.MakeAll(network, ranks);
        return network;
    }

    /// <summary>
    /// Which of the maps a detector uses: the last one, or for a feature pyramid the last of each stride from 8 on (at least
    /// two strides where there are two).
    /// </summary>
    public static IReadOnlyList<int> Levels(Backbone backbone, IReadOnlyList<FeatureMap> maps)
    {
        if (backbone.FpnChannels is null) return [maps.Count - 1];
        int[] last = [.. Enumerable.Range(0, maps.Count).Where(i => i == maps.Count - 1 || maps[i + 1].Stride > maps[i].Stride)];
        int fine = last.Count(i => maps[i].Stride < 8);
        return last[Math.Max(0, Math.Min(fine, last.Length - 2))..];
    }

    /// <summary>The network before its convolutions have weights.</summary>
    private static BackboneNetwork Shape(Backbone backbone, int outputStride, bool givesStem)
    {
        int stages = backbone.Stages ?? backbone.AllStages;
        var descent = new Descent(outputStride, backbone.Dilates ?? false);
        return backbone.Kind switch
        {
            BackboneKind.Plain => new PlainNetwork(backbone.Widths, stages, descent),
            BackboneKind.ShuffleNetV2_x0_5 => new ShuffleNetV2(ShuffleNetV2.HalfWidth, stages, descent, givesStem),
            BackboneKind.ShuffleNetV2_x1_0 => new ShuffleNetV2(ShuffleNetV2.FullWidth, stages, descent, givesStem),
            BackboneKind.ResNet18 => new ResNet(bottlenecks: false, [2, 2, 2, 2], stages, descent),
            BackboneKind.ResNet34 => new ResNet(bottlenecks: false, [3, 4, 6, 3], stages, descent),
            BackboneKind.ResNet50 => new ResNet(bottlenecks: true, [3, 4, 6, 3], stages, descent),
            BackboneKind.MobileNetV3Small => new MobileNetV3(MobileNetV3.Small, stages, descent),
            BackboneKind.MobileNetV3Large => new MobileNetV3(MobileNetV3.Large, stages, descent),
            _ when ClassicShape.Of(backbone.Kind) is { } shape => new ClassicNetwork(shape, stages, descent),
            _ => throw new ArgumentException($"There is no backbone of kind {backbone.Kind}.", nameof(backbone)),
        };
    }
}
