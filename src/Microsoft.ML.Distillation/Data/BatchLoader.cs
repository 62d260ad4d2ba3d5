using System.Runtime.InteropServices;
using Microsoft.ML.Distillation.Images;
using Microsoft.ML.Distillation.Rows;
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
    private readonly int _rank;
    private readonly int _ranks;

    /// <param name="views">The sizes at which every image is wanted: the student's input, and the teacher's.</param>
    /// <param name="prefetchBytes">A bound for the finished batches that wait; at least one always does.</param>
    /// <param name="workers">The number of worker threads; 0 is half of the processors.</param>
    /// <param name="wholeBatches">Whether an epoch leaves out the images that do not fill a batch, unless they are all there are.</param>
    /// <param name="rank">Which of the processes that share each epoch this is, from 0.</param>
    /// <param name="ranks">
    /// Their number: of every <paramref name="ranks"/> batches in the order of the epoch each gets the one at its place.
    /// </param>
    /// <exception cref="ArgumentException">A setting is not possible, or the data set is empty.</exception>
    public BatchLoader(
        IDetectionDataset data, IReadOnlyList<ImageSize> views, int batchSize, AugmentationOptions augmentation,
        long prefetchBytes = DefaultPrefetchBytes, int workers = 0, bool wholeBatches = false, int rank = 0, int ranks = 1)
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
        (_rank, _ranks) = (rank, ranks);
    }

    /// <summary>The number of batches of an epoch; the last one may be smaller than the others, or fall to other processes.</summary>
    public int BatchesPerEpoch => _wholeBatches ? Math.Max(1, _data.Count / StepSize) : (_data.Count + StepSize - 1) / StepSize;

    /// <summary>The images of a batch of each process.</summary>
    private int StepSize => _batchSize * _ranks;

    /// <summary>
    /// All images once, or as many as the data set itself chooses. The caller disposes each batch. Ending the enumeration early stops
    /// the workers.
    /// </summary>
    /// <param name="shuffle">
    /// Whether the order is drawn anew for each epoch; otherwise it is the data set's. In place of an image that turned out to be
    /// unreadable, and is left out, an epoch drawn anew shows the next one that is not: its steps are as many and as large. In the data
    /// set's own order there are the fewer images.
    /// </param>
    /// <exception cref="OperationCanceledException"><paramref name="cancellation"/> was cancelled.</exception>
    public IEnumerable<DetectionBatch> Epoch(int seed, int epoch, bool shuffle, CancellationToken cancellation = default)
        => Epoch(seed, epoch, shuffle, firstBatch: 0, cancellation);

    /// <summary>The same without the epoch's first batches.</summary>
    /// <param name="firstBatch">The first batch that is wanted, from 0.</param>
    /// <inheritdoc cref="Epoch(int, int, bool, CancellationToken)"/>
    public IEnumerable<DetectionBatch> Epoch(int seed, int epoch, bool shuffle, int firstBatch, CancellationToken cancellation)
    {
        int[] order = shuffle ? Order(seed, epoch) : [.. Enumerable.Range(0, _data.Count)];
        int[] earlier = Earlier(order);
        // Which places of the order are this process's.
        int[] places = [.. Enumerable.Range(0, order.Length).Where(place => place / _batchSize % _ranks == _rank)];
        int batches = Math.Min(BatchesPerEpoch, (places.Length + _batchSize - 1) / _batchSize);
        return NotEmpty(new PrefetchQueue<DetectionBatch>(batches - firstBatch, _depth, _workers, Make).Read(cancellation));

        DetectionBatch Make(int batch)
        {
            int[] own = [.. places.Skip((firstBatch + batch) * _batchSize).Take(_batchSize)];
            DetectionBatch loaded = Load(_data, own.Length, _views, i => Read(own[i]), (i, index) => Vary(own[i], index));
            // Of the generator of no image, and of no order: those have the numbers from −1 on.
            return Mixing.Apply(loaded, _augmentation, SampleRandom.FurtherFor(seed, epoch, -2 - own[0]));
        }

        Augmentation Vary(int place, int index)
        {
            int which = order[place] + earlier[place] * _data.Count;
            return Augmentation.Draw(_augmentation, _data.AnnotationOf(index), _data.SizeOf(index),
                SampleRandom.For(seed, epoch, which), SampleRandom.FurtherFor(seed, epoch, which));
        }

        (int Index, RgbImage Image)? Read(int place)
        {
            // What stands in depends on the order alone: on no thread, and on nothing that was read before.
            int last = shuffle ? place + order.Length : place + 1;
            for (int at = place; at < last; at++)
            {
                int index = order[at % order.Length];
                if (_data.TryRead(index) is { } image) return (index, image);
            }

            return shuffle ? throw new InvalidDataException("No image of the data set can be read.") : null;
        }
    }

    private static IEnumerable<DetectionBatch> NotEmpty(IEnumerable<DetectionBatch> batches)
    {
        foreach (DetectionBatch batch in batches)
        {
            if (batch.Count > 0) yield return batch;
            else batch.Dispose();
        }
    }

    private int[] Order(int seed, int epoch) => _data is ISampleOrder chosen
        ? chosen.Order(seed, epoch, Math.Min(_data.Count, BatchesPerEpoch * StepSize))
        : SampleRandom.Permutation(_data.Count, seed, epoch);

    /// <summary>How often each place's image came before in the epoch: each time it is varied otherwise.</summary>
    private static int[] Earlier(int[] order)
    {
        var counts = new Dictionary<int, int>();
        return Array.ConvertAll(order, index => (counts[index] = counts.GetValueOrDefault(index) + 1) - 1);
    }

    /// <summary>Loads some images as they are, on the calling thread.</summary>
    public static DetectionBatch Load(IDetectionDataset data, IReadOnlyList<int> indices, params IReadOnlyList<ImageSize> views)
        => Load(data, indices.Count, views, i => (indices[i], data.Read(indices[i])), (_, _) => Augmentation.Identity);

    /// <param name="count">The number of images that are asked for.</param>
    /// <param name="read">Reads the image of a place; null where there is none.</param>
    /// <param name="draw">Draws the variation of a place that an image came to stand at.</param>
    private static DetectionBatch Load(
        IDetectionDataset data, int count, IReadOnlyList<ImageSize> views, Func<int, (int Index, RgbImage Image)?> read,
        Func<int, int, Augmentation> draw)
    {
        var tensors = new Tensor[views.Count];
        var annotations = new List<Annotation>(count);
        var geometries = new List<ImageGeometry>(count);
        var indices = new List<int>(count);
        for (int v = 0; v < tensors.Length; v++) tensors[v] = empty(count, 3, views[v].Height, views[v].Width, float32, CPU);
        try
        {
            for (int i = 0; i < count; i++)
            {
                if (read(i) is not var (index, image)) continue;
                Augmentation augmentation = draw(i, index);
                Fill(tensors, indices.Count, image, views, augmentation);
                geometries.Add(augmentation.Geometry);
                annotations.Add(augmentation.Geometry.Apply(data.AnnotationOf(index)));
                indices.Add(index);
            }

            if (indices.Count < count) Shorten(tensors, indices.Count);
            ImageSize[] sizes = [.. indices.Select(data.SizeOf)];
            return new DetectionBatch(tensors, annotations, indices) { Source = data, Sizes = sizes, Geometries = geometries };
        }
        catch
        {
            foreach (Tensor tensor in tensors) tensor.Dispose();
            throw;
        }
    }

    private static void Shorten(Tensor[] batch, int count)
    {
        for (int v = 0; v < batch.Length; v++)
        {
            using Tensor whole = batch[v], part = whole.narrow(0, 0, count);
            batch[v] = part.clone();
        }
    }

    private static void Fill(Tensor[] batch, int index, RgbImage image, IReadOnlyList<ImageSize> views, Augmentation augmentation)
    {
        (ImageGeometry geometry, ColorFactors colors) = (augmentation.Geometry, augmentation.Colors);
        float? meanGrey = null;
        for (int v = 0; v < batch.Length; v++)
        {
            int length = 3 * views[v].Width * views[v].Height;
            Span<float> planes = MemoryMarshal.Cast<byte, float>(batch[v].bytes).Slice(index * length, length);
            geometry.Draw(image, views[v], planes);
            // Measured on one view, so that contrast means the same for all.
            if (colors != ColorFactors.Identity) colors.Apply(planes, meanGrey ??= ColorFactors.MeanGrey(planes));
            if (augmentation.Cutout is { } cutout) cutout.Apply(planes, views[v]);
        }

        GC.KeepAlive(batch);
    }
}

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
    /// <summary>The data set; <see langword="null"/> for images that are of none.</summary>
    public required IDetectionDataset? Source { get; init; }

    /// <summary>The N images' own sizes in pixels, before they are cut and stretched.</summary>
    public required IReadOnlyList<ImageSize> Sizes { get; init; }

    /// <summary>How each of the N images is cut and mirrored, where they are not mixed.</summary>
    public required IReadOnlyList<ImageGeometry> Geometries { get; init; }

    /// <summary>What networks that can are to compute in: float, or bfloat16 for mixed precision.</summary>
    public ScalarType Precision { get; init; } = ScalarType.Float32;

    /// <summary>The number of images.</summary>
    public int Count => Indices.Count;

    /// <summary>Images that are of no data set, as they are.</summary>
    /// <param name="images">[N,3,H,W], RGB, 0 to 1. They belong to the batch.</param>
    /// <param name="sizes">Their sizes before they were stretched to H × W; <see langword="null"/>: they were not.</param>
    public static DetectionBatch Of(Tensor images, IReadOnlyList<ImageSize>? sizes = null)
    {
        int count = (int)images.shape[0];
        return new DetectionBatch([images], [.. Enumerable.Repeat(Annotation.Empty, count)], [.. Enumerable.Range(0, count)])
        {
            Source = null,
            Sizes = sizes ?? [.. Enumerable.Repeat(SizeOf(images), count)],
            Geometries = [.. Enumerable.Repeat(ImageGeometry.Identity, count)],
            Precision = images.dtype,
        };
    }

    /// <summary>The view of a size.</summary>
    /// <exception cref="ArgumentException">The batch has none of it.</exception>
    public Tensor ImagesOf(ImageSize size) => Views.FirstOrDefault(view => SizeOf(view) == size)
        ?? throw new ArgumentException(
            $"Images of {size} are expected; the batch has those of {string.Join(", ", Views.Select(SizeOf))}.", nameof(size));

    /// <inheritdoc/>
    public void Dispose()
    {
        foreach (Tensor view in Views) view.Dispose();
    }

    private static ImageSize SizeOf(Tensor view) => new((int)view.shape[3], (int)view.shape[2]);
}

/// <summary>
/// Makes items on worker threads and hands them out in their order. At most <paramref name="depth"/> items are being made or
/// wait, whatever the number of workers.
/// </summary>
/// <param name="count">The number of items.</param>
/// <param name="make">Makes the item of an index; called from several threads at once.</param>
internal sealed class PrefetchQueue<T>(int count, int depth, int workers, Func<int, T> make) where T : IDisposable
{
    /// <summary>
    /// The items in order; each belongs to the caller. An error in <c>make</c> is thrown when its item's turn comes. When the
    /// enumeration ends, early or not, the workers have stopped and items that were not taken are disposed.
    /// </summary>
    public IEnumerable<T> Read(CancellationToken cancellation)
    {
        using var stop = CancellationTokenSource.CreateLinkedTokenSource(cancellation);
        using var free = new SemaphoreSlim(depth);
        var items = new TaskCompletionSource<T>[count];
        for (int i = 0; i < count; i++) items[i] = new TaskCompletionSource<T>();
        int next = -1;
        var threads = new Thread[Math.Min(Math.Min(workers, depth), count)];
        for (int i = 0; i < threads.Length; i++)
        {
            threads[i] = new Thread(Work) { IsBackground = true, Name = "ML.Distillation loader" };
            threads[i].Start();
        }

        int taken = 0;
        try
        {
            while (taken < count)
            {
                T item = items[taken].Task.WaitAsync(cancellation).GetAwaiter().GetResult();

                // Nobody else keeps what belongs to the caller.
                items[taken++] = null!;
                free.Release();
                yield return item;
            }
        }
        finally
        {
            stop.Cancel();
            foreach (Thread thread in threads) thread.Join();
            for (int i = taken; i < count; i++)
            {
                if (items[i].Task.IsCompletedSuccessfully) items[i].Task.Result.Dispose();
            }
        }

        void Work()
        {
            try
            {
                while (true)
                {
                    // A place is free before an index is taken, so the places always belong to the items that are due first.
                    free.Wait(stop.Token);
                    int index = Interlocked.Increment(ref next);
                    if (index >= count) return;
                    Make(index);
                }
            }
            catch (OperationCanceledException)
            {
            }
        }

        void Make(int index)
        {
            try
            {
                items[index].SetResult(make(index));
            }
            catch (Exception exception)
            {
                items[index].SetException(exception);
            }
        }
    }
}

/// <summary>A data set that decides itself which images an epoch shows, and in which order.</summary>
internal interface ISampleOrder
{
    /// <summary>The images of an epoch; one may come several times. Depends on nothing but the arguments.</summary>
    /// <param name="epoch">The number of the epoch, 0 or more.</param>
    /// <param name="length">The number of images in every epoch of the run.</param>
    int[] Order(int seed, int epoch, int length);

    /// <summary>A line that tells ways of ordering apart: a run with another way cannot be continued.</summary>
    string OrderDescription { get; }
}
