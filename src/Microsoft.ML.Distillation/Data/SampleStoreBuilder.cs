namespace Microsoft.ML.Distillation.Data;

/// <summary>Fills a <see cref="SampleStore"/>. Disposing a builder that was not finished removes what it stored.</summary>
/// <param name="classNames">The classes of the data set.</param>
/// <param name="cacheBytes">How many bytes of pixels are kept in memory; the rest goes to a temporary file.</param>
/// <param name="temporaryFolder">Where that file lies; null is the system's folder for temporary files.</param>
internal sealed class SampleStoreBuilder(IReadOnlyList<string> classNames, long cacheBytes, string? temporaryFolder = null) : IDisposable
{
    private readonly List<SampleStore.Sample> _samples = [];
    private SpillFile? _spill;
    private long _cached;

    /// <summary>The number of images so far.</summary>
    public int Count => _samples.Count;

    /// <summary>Adds an image, whose pixels belong to the store from then on.</summary>
    /// <exception cref="ArgumentException">Pixels and size, boxes and labels, or labels and classes do not fit together.</exception>
    public void Add(RgbImage image, Annotation annotation)
    {
        if (image.Width <= 0 || image.Height <= 0 || image.Pixels.Length != 3L * image.Width * image.Height)
            throw new ArgumentException($"An image of {image.Width}×{image.Height} pixels has {image.Pixels.Length} bytes.", nameof(image));
        if (annotation.Boxes.Length != 4 * annotation.Count)
            throw new ArgumentException($"{annotation.Count} labels stand beside {annotation.Boxes.Length} box coordinates.", nameof(annotation));
        foreach (int label in annotation.Labels)
        {
            if (label < 0 || label >= classNames.Count)
                throw new ArgumentException($"The label {label} is none of the {classNames.Count} classes.", nameof(annotation));
        }

        var size = new ImageSize(image.Width, image.Height);
        if (_cached + image.Pixels.Length <= cacheBytes)
        {
            _cached += image.Pixels.Length;
            _samples.Add(new SampleStore.Sample(size, annotation, image.Pixels, 0));
        }
        else
        {
            _spill ??= new SpillFile(temporaryFolder);
            _samples.Add(new SampleStore.Sample(size, annotation, null, _spill.Append(image.Pixels)));
        }
    }

    /// <summary>Hands the finished store over; the builder is empty afterwards.</summary>
    public SampleStore Build()
    {
        var store = new SampleStore(classNames, _samples.ToArray(), _spill);
        _samples.Clear();
        _spill = null;
        _cached = 0;
        return store;
    }

    /// <inheritdoc/>
    public void Dispose() => _spill?.Dispose();
}
