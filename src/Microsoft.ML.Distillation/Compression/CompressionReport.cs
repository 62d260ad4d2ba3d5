namespace Microsoft.ML.Distillation;

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
