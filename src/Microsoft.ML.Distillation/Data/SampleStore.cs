using Microsoft.ML.Distillation.Images;
using Microsoft.ML.Distillation.Rows;
using Microsoft.Win32.SafeHandles;

namespace Microsoft.ML.Distillation.Data;

/// <summary>
/// Decoded images with their objects. Pixels lie in memory up to a limit, those beyond it in a temporary file, so that a
/// data set may be larger than memory. Made by <see cref="SampleStoreBuilder"/>.
/// </summary>
internal sealed class SampleStore : IDetectionDataset
{
    private readonly IReadOnlyList<Sample> _samples;
    private readonly SpillFile? _spill;

    internal SampleStore(IReadOnlyList<string> classNames, IReadOnlyList<Sample> samples, SpillFile? spill)
    {
        ClassNames = classNames;
        _samples = samples;
        _spill = spill;
    }

    /// <inheritdoc/>
    public int Count => _samples.Count;

    /// <inheritdoc/>
    public IReadOnlyList<string> ClassNames { get; }

    /// <summary>The number of images whose pixels lie in the temporary file.</summary>
    public int SpilledCount => _samples.Count(sample => sample.Pixels is null);

    /// <inheritdoc/>
    public ImageSize SizeOf(int index) => _samples[index].Size;

    /// <inheritdoc/>
    public Annotation AnnotationOf(int index) => _samples[index].Annotation;

    /// <summary>The pixels of an image. They belong to the store: read them, do not write them.</summary>
    public RgbImage Read(int index)
    {
        Sample sample = _samples[index];
        byte[]? pixels = sample.Pixels;
        if (pixels is null)
        {
            pixels = GC.AllocateUninitializedArray<byte>(3 * sample.Size.Width * sample.Size.Height);
            _spill!.Read(sample.Offset, pixels);
        }

        return new RgbImage(sample.Size.Width, sample.Size.Height, pixels);
    }

    /// <inheritdoc/>
    public void Dispose() => _spill?.Dispose();

    /// <summary>One image; its pixels are null where they lie in the temporary file.</summary>
    internal readonly record struct Sample(ImageSize Size, Annotation Annotation, byte[]? Pixels, long Offset);
}

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
            throw new ArgumentException(
                $"{annotation.Count} labels stand beside {annotation.Boxes.Length} box coordinates.", nameof(annotation));
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

/// <summary>
/// A temporary file for pixels that do not fit into memory. It has no life of its own: it disappears when it is disposed,
/// and also when the process ends in any other way.
/// </summary>
internal sealed class SpillFile : IDisposable
{
    private readonly SafeFileHandle _handle;
    private long _length;

    /// <summary>Creates the file.</summary>
    /// <param name="folder">Where; null is the system's folder for temporary files.</param>
    public SpillFile(string? folder)
    {
        string path = Path.Combine(folder ?? Path.GetTempPath(), $"ml-distillation-{Guid.NewGuid():N}.tmp");
        // Windows deletes the file with its last handle. Elsewhere a file without a name lives as long as its handle.
        FileOptions options = OperatingSystem.IsWindows() ? FileOptions.DeleteOnClose : FileOptions.None;
        _handle = File.OpenHandle(path, FileMode.CreateNew, FileAccess.ReadWrite, FileShare.None, options | FileOptions.RandomAccess);
        if (!OperatingSystem.IsWindows()) File.Delete(path);
    }

    /// <summary>Appends bytes and returns their offset. One thread at a time.</summary>
    public long Append(ReadOnlySpan<byte> bytes)
    {
        long offset = _length;
        RandomAccess.Write(_handle, bytes, offset);
        _length += bytes.Length;
        return offset;
    }

    /// <summary>Reads what was appended at an offset. May be called from several threads at once.</summary>
    public void Read(long offset, Span<byte> bytes)
    {
        while (!bytes.IsEmpty)
        {
            int read = RandomAccess.Read(_handle, bytes, offset);
            if (read == 0)
                throw new EndOfStreamException("The temporary file with the images' pixels is shorter than what was written to it.");
            bytes = bytes[read..];
            offset += read;
        }
    }

    /// <inheritdoc/>
    public void Dispose() => _handle.Dispose();
}
