namespace Microsoft.ML.Distillation;

/// <summary>
/// Makes a network smaller by taking its layers apart: a convolution into 1×1, k×k and 1×1 with fewer channels in the middle
/// (Tucker-2 decomposition; Kim et al., "Compression of Deep Convolutional Neural Networks for Fast and Low Power Mobile
/// Applications", 2016), a fully connected layer or 1×1 convolution into two. With pre-trained weights the parts are those that
/// come closest to the layer; without, they start at random.
/// </summary>
public sealed record CompressionOptions
{
    /// <summary>
    /// The multiplications of the backbone's convolutions that remain, as a share of the whole network's, above 0 and up to 1.
    /// <see langword="null"/>: only the layers in <see cref="Ranks"/> are taken apart.
    /// </summary>
    public double? FlopsShare { get; init; }

    /// <summary>
    /// The same for the head's fully connected layers, which one-stage detectors do not have: to give it for one is an error.
    /// <see langword="null"/>: <see cref="FlopsShare"/>.
    /// </summary>
    public double? HeadFlopsShare { get; init; }

    /// <summary>
    /// The channels in the middle of single layers, by the names of the detector's state dict: two for a convolution
    /// (<c>"backbone.features.3" = [24, 60]</c>, behind its first and before its last part), one for a 1×1 convolution and a fully
    /// connected layer (<c>"head.fc6" = [210]</c>). Backbone and head follow the shares where they are not listed; convolutions elsewhere
    /// (<c>fpn.layer_blocks.0.0</c>, <c>rpn.conv</c>, those of a one-stage detector's neck and head) stay whole unless they are.
    /// </summary>
    public IReadOnlyDictionary<string, IReadOnlyList<int>> Ranks { get; init; } = new Dictionary<string, IReadOnlyList<int>>();

    /// <summary>Is told what was done, when a detector is built to be trained.</summary>
    public Action<CompressionReport>? Report { get; init; }

    /// <summary>Throws an <see cref="ArgumentException"/> that names the first setting that cannot be.</summary>
    internal void Validate()
    {
        RequireShare(FlopsShare, nameof(FlopsShare));
        RequireShare(HeadFlopsShare, nameof(HeadFlopsShare));
        foreach ((string name, IReadOnlyList<int> ranks) in Ranks)
        {
            if (ranks.Count is not (1 or 2) || ranks.Any(r => r < 1))
                throw new ArgumentException($"{nameof(CompressionOptions)}.{nameof(Ranks)}: {name} has the ranks "
                    + $"[{string.Join(", ", ranks)}], not one or two of at least 1.");
        }
    }

    private static void RequireShare(double? share, string option)
    {
        if (share is null or (> 0 and <= 1)) return;
        throw new ArgumentException(FormattableString
            .Invariant($"{nameof(CompressionOptions)}.{option} is above 0 and up to 1, not {share}."));
    }
}

/// <summary>What <see cref="CompressionOptions"/> made of a network.</summary>
/// <param name="Layers">The layers that were taken apart.</param>
/// <param name="FlopsShare">The multiplications of the backbone's convolutions that remain, as a share.</param>
/// <param name="HeadFlopsShare">Those of the head's fully connected layers.</param>
/// <param name="Parameters">The parameters of the detector.</param>
/// <param name="ParametersBefore">The parameters of the whole detector.</param>
public sealed record CompressionReport(
    IReadOnlyList<LayerCompression> Layers, double FlopsShare, double HeadFlopsShare, long Parameters, long ParametersBefore);

/// <summary>What became of a layer.</summary>
/// <param name="Name">Its name in the detector's state dict.</param>
/// <param name="Ranks">The channels in the middle, as in <see cref="CompressionOptions.Ranks"/>.</param>
/// <param name="FlopsShare">The multiplications that remain, as a share.</param>
/// <param name="Error">
/// The part of the weights that is lost, ‖W − Ŵ‖ / ‖W‖ in the Frobenius norm; <see langword="null"/> where the parts started at
/// random.
/// </param>
public sealed record LayerCompression(string Name, IReadOnlyList<int> Ranks, double FlopsShare, double? Error);
