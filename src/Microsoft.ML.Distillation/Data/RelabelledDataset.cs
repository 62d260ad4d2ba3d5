namespace Microsoft.ML.Distillation.Data;

/// <summary>Some images of a data set with labels of another origin.</summary>
/// <param name="images">The images. They still belong to the caller.</param>
/// <param name="classNames">The classes of the labels.</param>
/// <param name="samples">The index of each image that is shown, and its objects.</param>
internal sealed class RelabelledDataset(
    IDetectionDataset images, IReadOnlyList<string> classNames, IReadOnlyList<(int Index, Annotation Annotation)> samples) : IDetectionDataset
{
    /// <inheritdoc/>
    public int Count => samples.Count;

    /// <inheritdoc/>
    public IReadOnlyList<string> ClassNames => classNames;

    /// <inheritdoc/>
    public ImageSize SizeOf(int index) => images.SizeOf(samples[index].Index);

    /// <inheritdoc/>
    public Annotation AnnotationOf(int index) => samples[index].Annotation;

    /// <inheritdoc/>
    public RgbImage Read(int index) => images.Read(samples[index].Index);

    /// <summary>Does nothing: the images belong to the caller.</summary>
    public void Dispose()
    {
    }
}
