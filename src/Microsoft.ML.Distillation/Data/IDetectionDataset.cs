using System.Globalization;
using Microsoft.ML.Distillation.Images;
using Microsoft.ML.Distillation.Rows;

namespace Microsoft.ML.Distillation.Data;

/// <summary>Annotated images with random access. All members may be called from several threads at once.</summary>
internal interface IDetectionDataset : IDisposable
{
    /// <summary>The number of images.</summary>
    int Count { get; }

    /// <summary>The classes; a label is an index into this list.</summary>
    IReadOnlyList<string> ClassNames { get; }

    /// <summary>The size of an image in pixels.</summary>
    ImageSize SizeOf(int index);

    /// <summary>The objects of an image.</summary>
    Annotation AnnotationOf(int index);

    /// <summary>
    /// The pixels of an image, which are not to be written into; null where its file turned out to be no whole image and such images are
    /// left out.
    /// </summary>
    /// <exception cref="InvalidDataException">Its file is no whole image, and that is an error; the message names it.</exception>
    RgbImage? TryRead(int index);
}

/// <summary>What follows from the members of a data set.</summary>
internal static class DetectionDatasetExtensions
{
    /// <summary>The pixels of an image that is known to be one.</summary>
    /// <inheritdoc cref="IDetectionDataset.TryRead"/>
    public static RgbImage Read(this IDetectionDataset data, int index)
        => data.TryRead(index) ?? throw new InvalidDataException($"Image {index} of the data set is no whole image.");
}

/// <summary>Some images of a data set with labels of another origin.</summary>
/// <param name="images">The images. They still belong to the caller.</param>
/// <param name="classNames">The classes of the labels.</param>
/// <param name="samples">The index of each image that is shown, and its objects.</param>
internal sealed class RelabelledDataset(
    IDetectionDataset images, IReadOnlyList<string> classNames, IReadOnlyList<(int Index, Annotation Annotation)> samples)
    : IDetectionDataset
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
    public RgbImage? TryRead(int index) => images.TryRead(samples[index].Index);

    /// <summary>Does nothing: the images belong to the caller.</summary>
    public void Dispose()
    {
    }
}

/// <summary>
/// Labelled images and others whose labels were generated. Training draws from each in a fixed ratio, 6 : 4 in Radosavovic et al.,
/// Data Distillation (CVPR 2018), whatever their numbers are. An epoch shows as many images as both have together: the labelled ones
/// more than once where they are few.
/// </summary>
/// <param name="labelled">The labelled images; their indices stay. They still belong to the caller.</param>
/// <param name="others">The others, of the same classes; their indices follow. They still belong to the caller.</param>
/// <param name="labelledShare">The share of labelled images in what training draws, above 0 and below 1.</param>
internal sealed class UnionDataset(IDetectionDataset labelled, IDetectionDataset others, double labelledShare)
    : IDetectionDataset, ISampleOrder
{
    /// <inheritdoc/>
    public int Count => labelled.Count + others.Count;

    /// <inheritdoc/>
    public IReadOnlyList<string> ClassNames => labelled.ClassNames;

    /// <inheritdoc/>
    public string OrderDescription
        => string.Create(CultureInfo.InvariantCulture, $"{labelled.Count} labelled images with a share of {labelledShare}");

    /// <inheritdoc/>
    public ImageSize SizeOf(int index) => index < labelled.Count ? labelled.SizeOf(index) : others.SizeOf(index - labelled.Count);

    /// <inheritdoc/>
    public Annotation AnnotationOf(int index)
        => index < labelled.Count ? labelled.AnnotationOf(index) : others.AnnotationOf(index - labelled.Count);

    /// <inheritdoc/>
    public RgbImage? TryRead(int index)
        => index < labelled.Count ? labelled.TryRead(index) : others.TryRead(index - labelled.Count);

    /// <summary>
    /// Both parts are streams that go on over the epochs: each shows all its images in an order drawn by chance, then all of them in
    /// another order. Place g of the run belongs to the labelled stream if ⌊(g + 1) share⌋ exceeds ⌊g share⌋, so every batch, of
    /// whatever size, has the ratio to within one image.
    /// </summary>
    public int[] Order(int seed, int epoch, int length)
    {
        var order = new int[length];
        long first = (long)epoch * length;
        var labelledStream = new Stream(labelled.Count, seed, part: 0);
        var otherStream = new Stream(others.Count, seed, part: 1);
        for (int i = 0; i < length; i++)
        {
            long before = LabelledBefore(first + i);
            order[i] = LabelledBefore(first + i + 1) > before
                ? labelledStream.At(before)
                : labelled.Count + otherStream.At(first + i - before);
        }

        return order;
    }

    /// <summary>Does nothing: both parts belong to the caller.</summary>
    public void Dispose()
    {
    }

    // Shares such as 0.6 are no binary fractions: without the small addition the products would fall short of whole numbers.
    private long LabelledBefore(long place) => (long)Math.Floor(place * labelledShare + 1e-6);

    /// <summary>An endless stream of the images of one part; remembers the order of the round that was asked for last.</summary>
    private sealed class Stream(int count, int seed, int part)
    {
        private long _round = -1;
        private int[] _order = [];

        public int At(long place)
        {
            long round = place / count;
            if (round != _round) (_round, _order) = (round, SampleRandom.Round(count, seed, part, round));
            return _order[place % count];
        }
    }
}
