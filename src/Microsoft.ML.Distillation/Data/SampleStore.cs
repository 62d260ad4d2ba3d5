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
