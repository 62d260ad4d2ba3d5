using Microsoft.ML.Distillation.Images;
using Microsoft.ML.Distillation.Rows;

namespace Microsoft.ML.Distillation.Data;

/// <summary>A data set as it is, of whose batches somebody is told.</summary>
/// <param name="data">The data set. It still belongs to the caller.</param>
/// <param name="showing">Is told of each batch before training sees it.</param>
internal sealed class WatchedDataset(IDetectionDataset data, Action<DetectionBatch> showing) : IDetectionDataset, ISampleOrder, IBatchObserver
{
    /// <inheritdoc/>
    public int Count => data.Count;

    /// <inheritdoc/>
    public IReadOnlyList<string> ClassNames => data.ClassNames;

    /// <inheritdoc/>
    public string OrderDescription => (data as ISampleOrder)?.OrderDescription ?? "";

    /// <inheritdoc/>
    public ImageSize SizeOf(int index) => data.SizeOf(index);

    /// <inheritdoc/>
    public Annotation AnnotationOf(int index) => data.AnnotationOf(index);

    /// <inheritdoc/>
    public RgbImage Read(int index) => data.Read(index);

    /// <inheritdoc/>
    public int[] Order(int seed, int epoch, int length)
        => (data as ISampleOrder)?.Order(seed, epoch, length) ?? SampleRandom.Permutation(data.Count, seed, epoch);

    /// <inheritdoc/>
    public void Showing(DetectionBatch batch) => showing(batch);

    /// <summary>Does nothing: the data set belongs to the caller.</summary>
    public void Dispose()
    {
    }
}

/// <summary>A data set that is told which of its images training sees next, and how they are varied.</summary>
internal interface IBatchObserver
{
    /// <summary>Is called on the thread that trains, just before it is given the batch.</summary>
    void Showing(DetectionBatch batch);
}
