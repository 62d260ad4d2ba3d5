using static TorchSharp.torch;

namespace Microsoft.ML.Distillation.Data;

/// <summary>
/// One step's images. Every view shows the same augmented images (same crop, flip and colours) at its own size,
/// so that a teacher and a student of different input sizes see the same thing.
/// </summary>
/// <param name="Views">One tensor for each requested size, float [N,3,H,W], RGB, 0 to 1, on the CPU.</param>
/// <param name="Annotations">N annotations in shares of the augmented image, so valid for every view.</param>
/// <param name="Indices">N indices into the data set.</param>
internal sealed record DetectionBatch(
    IReadOnlyList<Tensor> Views, IReadOnlyList<Annotation> Annotations, IReadOnlyList<int> Indices) : IDisposable
{
    /// <summary>How each of the N images is cut and mirrored.</summary>
    public IReadOnlyList<ImageGeometry> Geometries { get; init; } = [];

    /// <summary>The number of images.</summary>
    public int Count => Indices.Count;

    /// <inheritdoc/>
    public void Dispose()
    {
        foreach (Tensor view in Views) view.Dispose();
    }
}
