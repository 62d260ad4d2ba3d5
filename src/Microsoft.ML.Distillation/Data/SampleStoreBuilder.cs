using Microsoft.ML.Distillation.Images;
using Microsoft.ML.Distillation.Rows;

namespace Microsoft.ML.Distillation.Data;

/// <summary>Fills a <see cref="SampleStore"/>. Disposing a builder that was not finished removes what it stored.</summary>
/// <param name="classNames">The classes of the data set.</param>
/// <param name="budget">How many bytes of pixels are kept in memory.</param>
/// <param name="temporaryFolder">Where pixels lie beyond that which no file holds; null is the system's folder for temporary files.</param>
/// <param name="unreadable">What becomes of images that cannot be read when they are due; null: they are errors.</param>
internal sealed class SampleStoreBuilder(
    IReadOnlyList<string> classNames, PixelBudget budget, string? temporaryFolder = null, UnreadableSamples? unreadable = null)
    : IDisposable
{
    private readonly List<SampleStore.Sample> _samples = [];
    private readonly List<byte[]?> _pixels = [];
    private SpillFile? _spill;

    /// <inheritdoc cref="SampleStoreBuilder(IReadOnlyList{string}, PixelBudget, string?, UnreadableSamples?)"/>
    /// <param name="cacheBytes">How many bytes of pixels are kept in memory.</param>
    public SampleStoreBuilder(IReadOnlyList<string> classNames, long cacheBytes, string? temporaryFolder = null)
        : this(classNames, new PixelBudget(cacheBytes), temporaryFolder)
    {
    }

    /// <summary>The number of images so far.</summary>
    public int Count => _samples.Count;

    /// <summary>How many bytes of pixels lie in the temporary file.</summary>
    public long SpilledBytes => _spill?.Length ?? 0;

    /// <summary>Adds an image that lies in a file.</summary>
    /// <exception cref="ArgumentException">Boxes and labels, or labels and classes do not fit together.</exception>
    public void Add(ImageRow row, ImageSize size, Annotation annotation) => Add(size, annotation, null, new FilePixels(row, size));

    /// <summary>Adds an image whose pixels nobody will ask for.</summary>
    /// <inheritdoc cref="Add(ImageRow, ImageSize, Annotation)"/>
    public void Add(ImageSize size, Annotation annotation) => Add(size, annotation, null, null);

    /// <summary>Adds an image, whose pixels belong to the store from then on.</summary>
    /// <param name="findFile">Finds the file that holds just these pixels, if there is one; asked where there is no room for them.</param>
    /// <exception cref="ArgumentException">Pixels and size, boxes and labels, or labels and classes do not fit together.</exception>
    /// <exception cref="IOException">There is no room left in the temporary folder.</exception>
    public void Add(RgbImage image, Annotation annotation, Func<ImageRow?>? findFile = null)
    {
        if (image.Width <= 0 || image.Height <= 0 || image.Pixels.Length != 3L * image.Width * image.Height)
            throw new ArgumentException($"An image of {image.Width}×{image.Height} pixels has {image.Pixels.Length} bytes.", nameof(image));
        Check(annotation);
        var size = new ImageSize(image.Width, image.Height);
        if (budget.TryTake(image.Pixels.Length))
        {
            Add(size, annotation, image.Pixels, null);
        }
        else if (findFile?.Invoke() is { } row)
        {
            Add(row, size, annotation);
        }
        else
        {
            Add(size, annotation, null, Spill(image, size));
        }
    }

    /// <summary>Hands the finished store over; the builder is empty afterwards.</summary>
    public SampleStore Build()
    {
        var store = new SampleStore(
            classNames, _samples.ToArray(), [.. _pixels], budget, _spill, unreadable ?? new UnreadableSamples());
        _samples.Clear();
        _pixels.Clear();
        _spill = null;
        return store;
    }

    /// <inheritdoc/>
    public void Dispose() => _spill?.Dispose();

    private SpilledPixels Spill(RgbImage image, ImageSize size)
    {
        try
        {
            _spill ??= new SpillFile(temporaryFolder);
            return new SpilledPixels(_spill, _spill.Append(image.Pixels), size);
        }
        catch (IOException exception)
        {
            throw new IOException(
                $"{exception.Message} These are decoded images that are in no file that the data name. Raise CacheBytes, set "
                + "TemporaryFolder to a folder with more room, or read images by mlContext.Transforms.LoadUprightImages, which "
                + "decodes them from their files when they are due.", exception);
        }
    }

    private void Add(ImageSize size, Annotation annotation, byte[]? pixels, IPixelSource? source)
    {
        Check(annotation);
        _samples.Add(new SampleStore.Sample(size, annotation, source));
        _pixels.Add(pixels);
    }

    private void Check(Annotation annotation)
    {
        if (annotation.Boxes.Length != 4 * annotation.Count)
            throw new ArgumentException(
                $"{annotation.Count} labels stand beside {annotation.Boxes.Length} box coordinates.", nameof(annotation));
        foreach (int label in annotation.Labels)
        {
            if (label < 0 || label >= classNames.Count)
                throw new ArgumentException($"The label {label} is none of the {classNames.Count} classes.", nameof(annotation));
        }
    }
}
