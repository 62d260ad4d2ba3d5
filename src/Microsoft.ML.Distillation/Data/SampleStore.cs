using Microsoft.ML.Distillation.Images;
using Microsoft.ML.Distillation.Rows;

namespace Microsoft.ML.Distillation.Data;

/// <summary>
/// Images with their objects. Of an image that lies in a file nothing but its size is known until it is read; its pixels then stay decoded
/// while there is room, and are decoded again each time where there is none. Pixels that no file holds lie in a temporary file where
/// there is no room. What is read is the same in all cases. Made by <see cref="SampleStoreBuilder"/>.
/// </summary>
internal sealed class SampleStore : IDetectionDataset
{
    private readonly IReadOnlyList<Sample> _samples;
    private readonly byte[]?[] _pixels;
    private readonly PixelBudget _budget;
    private readonly SpillFile? _spill;
    private readonly UnreadableSamples _unreadable;

    internal SampleStore(
        IReadOnlyList<string> classNames, IReadOnlyList<Sample> samples, byte[]?[] pixels, PixelBudget budget, SpillFile? spill,
        UnreadableSamples unreadable)
    {
        ClassNames = classNames;
        (_samples, _pixels, _budget, _spill, _unreadable) = (samples, pixels, budget, spill, unreadable);
    }

    /// <inheritdoc/>
    public int Count => _samples.Count;

    /// <inheritdoc/>
    public IReadOnlyList<string> ClassNames { get; }

    /// <summary>The number of images whose pixels are decoded in memory at this time.</summary>
    public int CachedCount => _pixels.Count(pixels => pixels is not null);

    /// <summary>The number of images whose pixels lie in the temporary file.</summary>
    public int SpilledCount => _samples.Count(sample => sample.Source is SpilledPixels);

    /// <inheritdoc/>
    public ImageSize SizeOf(int index) => _samples[index].Size;

    /// <inheritdoc/>
    public Annotation AnnotationOf(int index) => _samples[index].Annotation;

    /// <inheritdoc/>
    public RgbImage? TryRead(int index)
    {
        Sample sample = _samples[index];
        byte[]? pixels = Volatile.Read(ref _pixels[index]);
        if (pixels is not null) return new RgbImage(sample.Size.Width, sample.Size.Height, pixels);
        IPixelSource source = sample.Source
            ?? throw new InvalidOperationException("The pixels of this data set were not kept: only its objects were asked for.");
        if (_unreadable.Read(index, source) is not { } image) return null;
        // Whoever decodes an image first keeps it, so that no order of the threads changes what comes out.
        if (source is FilePixels && _budget.TryTake(image.Pixels.Length)
            && Interlocked.CompareExchange(ref _pixels[index], image.Pixels, null) is not null) _budget.Return(image.Pixels.Length);
        return image;
    }

    /// <summary>Ends the use of the images, and says how many were left out.</summary>
    public void Dispose()
    {
        _unreadable.SayTotal();
        _spill?.Dispose();
    }

    /// <summary>One image; it has no source where its pixels are in memory from the beginning, or nobody wants them.</summary>
    internal readonly record struct Sample(ImageSize Size, Annotation Annotation, IPixelSource? Source);
}

/// <summary>Where the pixels of an image come from that are not in memory. May be called from several threads at once.</summary>
internal interface IPixelSource
{
    /// <summary>Reads them.</summary>
    /// <exception cref="InvalidDataException">The image cannot be read; the message names it.</exception>
    RgbImage Read();
}

/// <summary>Pixels that are decoded from the image's file.</summary>
/// <param name="row">The image.</param>
/// <param name="size">The size that its header said before training.</param>
internal sealed class FilePixels(ImageRow row, ImageSize size) : IPixelSource
{
    /// <inheritdoc/>
    public RgbImage Read()
    {
        RgbImage image = row.ReadPixels();
        return image.Width == size.Width && image.Height == size.Height
            ? image
            : throw row.Invalid($"the file is another one than at first: it had {size} pixels and has {image.Width}×{image.Height} now");
    }
}

/// <summary>Pixels that lie in a temporary file.</summary>
internal sealed class SpilledPixels(SpillFile file, long offset, ImageSize size) : IPixelSource
{
    /// <inheritdoc/>
    public RgbImage Read()
    {
        byte[] pixels = GC.AllocateUninitializedArray<byte>(3 * size.Width * size.Height);
        file.Read(offset, pixels);
        return new RgbImage(size.Width, size.Height, pixels);
    }
}

/// <summary>Images that turn out to be unreadable when they are due: an error, or left out and counted, as the user wants.</summary>
/// <param name="handling">Which of both.</param>
/// <param name="warn">Receives a line about the first that is left out, and one about all of them at the end.</param>
internal sealed class UnreadableSamples(InvalidSampleHandling handling = InvalidSampleHandling.Error, Action<string>? warn = null)
{
    private readonly InvalidSamples _invalid = new(handling);
    private readonly HashSet<int> _indices = [];
    private readonly Lock _lock = new();

    /// <summary>Reads an image; null where it is left out.</summary>
    /// <exception cref="InvalidDataException">The image cannot be read, and such images are errors.</exception>
    public RgbImage? Read(int index, IPixelSource source)
    {
        lock (_lock)
        {
            if (_indices.Contains(index)) return null;
        }

        try
        {
            return source.Read();
        }
        catch (InvalidDataException exception)
        {
            lock (_lock)
            {
                if (_indices.Contains(index)) return null;
                _invalid.AddImage(exception.Message, exception.InnerException);
                _indices.Add(index);
                if (_indices.Count == 1) warn?.Invoke(_invalid.Summary()!);
                return null;
            }
        }
    }

    /// <summary>Says how many there were, if more than the one that was told of at once.</summary>
    public void SayTotal()
    {
        lock (_lock)
        {
            if (_indices.Count > 1 && _invalid.Summary() is { } summary) warn?.Invoke(summary);
        }
    }
}

/// <summary>How many bytes decoded pixels may still take; several data sets share one. May be used from several threads at once.</summary>
/// <param name="bytes">How many at first.</param>
internal sealed class PixelBudget(long bytes)
{
    private long _left = bytes;

    /// <summary>Takes so many bytes, if there are as many.</summary>
    public bool TryTake(long count)
    {
        if (Interlocked.Add(ref _left, -count) >= 0) return true;
        Return(count);
        return false;
    }

    /// <summary>Gives bytes back that were taken.</summary>
    public void Return(long count) => Interlocked.Add(ref _left, count);
}
