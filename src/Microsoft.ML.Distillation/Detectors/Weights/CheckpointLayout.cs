using Microsoft.ML.Distillation.Detectors.Backbones;
using static TorchSharp.torch;

namespace Microsoft.ML.Distillation.Detectors.Weights;

/// <summary>What a family's checkpoints hold besides the backbone, and what other implementations call things.</summary>
internal sealed record CheckpointLayout
{
    /// <summary>
    /// Beginnings of names that belong to the whole classification network: its classifier, and stages that a shortened backbone
    /// leaves out. Where the detector has no such parameter they are passed over.
    /// </summary>
    public IReadOnlyList<string> Rest { get; private init; } = [];

    /// <summary>Other implementations.</summary>
    public IReadOnlyList<ICheckpointDialect> Dialects { get; private init; } = [];

    /// <summary>The layout of a backbone's checkpoints.</summary>
    public static CheckpointLayout Of(Backbone backbone) => backbone.Kind switch
    {
        BackboneKind.Plain => new() { Rest = [.. Beyond(backbone, "conv", 1), .. Beyond(backbone, "bn", 1)] },
        BackboneKind.ShuffleNetV2_x0_5 => ShuffleNetV2Of(backbone, ShuffleNetV2.HalfWidth),
        BackboneKind.ShuffleNetV2_x1_0 => ShuffleNetV2Of(backbone, ShuffleNetV2.FullWidth),
        BackboneKind.MobileNetV3Small => MobileNetV3Of(backbone, MobileNetV3.Small),
        BackboneKind.MobileNetV3Large => MobileNetV3Of(backbone, MobileNetV3.Large),
        _ when ClassicShape.Of(backbone.Kind) is { } shape => new()
        {
            Rest = [.. shape.HeadNames.Append(shape.Classifier).Concat(shape.Beyond(backbone.Stages ?? backbone.AllStages))
                .Select(n => n + ".")],
        },
        _ => new() { Rest = ["fc.", .. Beyond(backbone, "layer", 1)] },
    };

    private static CheckpointLayout ShuffleNetV2Of(Backbone backbone, IReadOnlyList<int> widths) => new()
    {
        Rest = ["conv5.", "fc.", .. Beyond(backbone, "stage", 2)],
        Dialects = [new MegviiShuffleNetV2(widths, ShuffleNetV2.Blocks)],
    };

    /// <summary>The last convolution, which the backbone does without, comes behind the blocks.</summary>
    private static CheckpointLayout MobileNetV3Of(Backbone backbone, IReadOnlyList<InvertedResidualShape> blocks)
    {
        int used = MobileNetV3.BlocksOf(blocks, backbone.Stages ?? backbone.AllStages);
        return new() { Rest = ["classifier.", .. Enumerable.Range(used + 1, blocks.Count + 1 - used).Select(i => $"features.{i}.")] };
    }

    /// <summary>The stages that the backbone leaves out.</summary>
    private static IEnumerable<string> Beyond(Backbone backbone, string stage, int first)
    {
        for (int i = backbone.Stages ?? backbone.AllStages; i < backbone.AllStages; i++) yield return $"{stage}{i + first}.";
    }
}

/// <summary>How some implementation of a network saves what torchvision saves under other names, and perhaps in another order.</summary>
internal interface ICheckpointDialect
{
    /// <summary>Whether a checkpoint with these names is one of this implementation's.</summary>
    bool Speaks(IEnumerable<string> names);

    /// <summary>torchvision's name of a parameter.</summary>
    string Translate(string name);

    /// <summary>The values of a parameter in torchvision's order.</summary>
    /// <param name="name">torchvision's name.</param>
    Tensor Arrange(string name, Tensor values);
}
