using System.Runtime.InteropServices;
using TorchSharp;
using static TorchSharp.torch;

namespace Microsoft.ML.Distillation.Data;

/// <summary>
/// Makes batches ahead of training: worker threads read, vary and resize images while the caller trains on earlier ones.
/// What comes out depends on seed and epoch alone, not on the number of workers.
/// </summary>
internal sealed class BatchLoader
{
    /// <summary>How many bytes of finished batches wait by default.</summary>
    public const long DefaultPrefetchBytes = 256L << 20;

    private const int MaxDepth = 32;

    private readonly IDetectionDataset _data;
    private readonly IReadOnlyList<ImageSize> _views;
    private readonly int _batchSize;
    private readonly AugmentationOptions _augmentation;
    private readonly int _depth;
    private readonly int _workers;
    private readonly bool _wholeBatches;

    /// <param name="views">The sizes at which every image is wanted: the student's input, and the teacher's.</param>
    /// <param name="prefetchBytes">A bound for the finished batches that wait; at least one always does.</param>
    /// <param name="workers">The number of worker threads; 0 is half of the processors.</param>
    /// <param name="wholeBatches">Whether an epoch leaves out the images that do not fill a batch, unless they are all there are.</param>
    /// <exception cref="ArgumentException">A setting is not possible, or the data set is empty.</exception>
    public BatchLoader(
        IDetectionDataset data, IReadOnlyList<ImageSize> views, int batchSize, AugmentationOptions augmentation,
        long prefetchBytes = DefaultPrefetchBytes, int workers = 0, bool wholeBatches = false)
    {
        ArgumentOutOfRangeException.ThrowIfNegativeOrZero(batchSize);
        ArgumentOutOfRangeException.ThrowIfNegative(workers);
        ArgumentOutOfRangeException.ThrowIfNegativeOrZero(prefetchBytes);
        augmentation.Validate();
        if (views.Count == 0) throw new ArgumentException("At least one size of image must be asked for.", nameof(views));
        if (data.Count == 0) throw new ArgumentException("The data set is empty.", nameof(data));
        long batchBytes = views.Sum(view => 3L * sizeof(float) * view.Width * view.Height) * batchSize;
        _data = data;
        _views = [.. views];
        _batchSize = batchSize;
        _augmentation = augmentation;
        _depth = (int)Math.Clamp(prefetchBytes / batchBytes, 1, MaxDepth);
        _workers = workers > 0 ? workers : Math.Max(1, Environment.ProcessorCount / 2);
        _wholeBatches = wholeBatches;
    }

    /// <summary>The number of batches of an epoch; the last one may be smaller than the others.</summary>
    public int BatchesPerEpoch =>
        _wholeBatches ? Math.Max(1, _data.Count / _batchSize) : (_data.Count + _batchSize - 1) / _batchSize;

    /// <summary>
    /// All images once, or as many as the data set itself chooses. The caller disposes each batch. Ending the enumeration early stops
    /// the workers.
    /// </summary>
    /// <param name="shuffle">Whether the order is drawn anew for each epoch; otherwise it is the data set's.</param>
    /// <exception cref="OperationCanceledException"><paramref name="cancellation"/> was cancelled.</exception>
    public IEnumerable<DetectionBatch> Epoch(int seed, int epoch, bool shuffle, CancellationToken cancellation = default)
    {
        int[] order = shuffle ? Order(seed, epoch) : [.. Enumerable.Range(0, _data.Count)];
        int[] earlier = Earlier(order);
        IEnumerable<DetectionBatch> batches = new PrefetchQueue<DetectionBatch>(BatchesPerEpoch, _depth, _workers, Make).Read(cancellation);
        return _data is IBatchObserver observer ? Observed(batches, observer) : batches;

        DetectionBatch Make(int batch)
        {
            int first = batch * _batchSize;
            int[] indices = order[first..Math.Min(first + _batchSize, order.Length)];
            return Load(_data, indices, _views, i => Augmentation.Draw(
                _augmentation, _data.AnnotationOf(indices[i]), SampleRandom.For(seed, epoch, indices[i] + earlier[first + i] * _data.Count)));
        }
    }

    private static IEnumerable<DetectionBatch> Observed(IEnumerable<DetectionBatch> batches, IBatchObserver observer)
    {
        foreach (DetectionBatch batch in batches)
        {
            observer.Showing(batch);
            yield return batch;
        }
    }

    private int[] Order(int seed, int epoch) => _data is ISampleOrder chosen
        ? chosen.Order(seed, epoch, Math.Min(_data.Count, BatchesPerEpoch * _batchSize))
        : SampleRandom.Permutation(_data.Count, seed, epoch);

    /// <summary>How often each place's image came before in the epoch: each time it is varied otherwise.</summary>
    private static int[] Earlier(int[] order)
    {
        var counts = new Dictionary<int, int>();
        return Array.ConvertAll(order, index => (counts[index] = counts.GetValueOrDefault(index) + 1) - 1);
    }

    /// <summary>Loads some images as they are, on the calling thread.</summary>
    public static DetectionBatch Load(IDetectionDataset data, IReadOnlyList<int> indices, params IReadOnlyList<ImageSize> views)
        => Load(data, indices, views, _ => Augmentation.Identity);

    private static DetectionBatch Load(
        IDetectionDataset data, IReadOnlyList<int> indices, IReadOnlyList<ImageSize> views, Func<int, Augmentation> draw)
    {
        var tensors = new Tensor[views.Count];
        var annotations = new Annotation[indices.Count];
        var geometries = new ImageGeometry[indices.Count];
        for (int v = 0; v < tensors.Length; v++) tensors[v] = empty(indices.Count, 3, views[v].Height, views[v].Width, float32, CPU);
        try
        {
            for (int i = 0; i < indices.Count; i++)
            {
                Augmentation augmentation = draw(i);
                geometries[i] = augmentation.Geometry;
                annotations[i] = augmentation.Geometry.Apply(data.AnnotationOf(indices[i]));
                Fill(tensors, i, data.Read(indices[i]), views, augmentation);
            }

            return new DetectionBatch(tensors, annotations, indices) { Geometries = geometries };
        }
        catch
        {
            foreach (Tensor tensor in tensors) tensor.Dispose();
            throw;
        }
    }

    private static void Fill(Tensor[] batch, int index, RgbImage image, IReadOnlyList<ImageSize> views, Augmentation augmentation)
    {
        (ImageGeometry geometry, ColorFactors colors) = augmentation;
        CropRegion region = geometry.Region(new ImageSize(image.Width, image.Height));
        float? meanGrey = null;
        for (int v = 0; v < batch.Length; v++)
        {
            int length = 3 * views[v].Width * views[v].Height;
            Span<float> planes = MemoryMarshal.Cast<byte, float>(batch[v].bytes).Slice(index * length, length);
            AntialiasedResize.Resize(image, region, geometry.Mirror, views[v], planes);
            // Measured on one view, so that contrast means the same for all.
            if (colors != ColorFactors.Identity) colors.Apply(planes, meanGrey ??= ColorFactors.MeanGrey(planes));
        }

        GC.KeepAlive(batch);
    }
}
