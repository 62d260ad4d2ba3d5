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

    /// <summary>The pixels of an image.</summary>
    RgbImage Read(int index);
}

/// <summary>
/// The images of a folder and its subfolders, or of a text file with a path in each line, one after the other: at no time more than the
/// names of one folder are in memory. The order is always the same.
/// </summary>
internal sealed class ImageList
{
    private readonly string _path;

    /// <exception cref="FileNotFoundException">There is no such folder or file.</exception>
    public ImageList(string path)
    {
        if (!Directory.Exists(path) && !File.Exists(path))
            throw new FileNotFoundException($"There is no folder, image or list of images '{path}'.", path);
        _path = Path.GetFullPath(path);
        Root = Directory.Exists(_path) ? _path : Path.GetDirectoryName(_path)!;
    }

    /// <summary>The folder to which names are relative.</summary>
    public string Root { get; }

    /// <summary>The names, as <see cref="PathOf"/> takes them.</summary>
    public IEnumerable<string> Names()
    {
        if (Directory.Exists(_path)) return Walk("");
        return ImageFiles.IsImage(_path) ? [Path.GetFileName(_path)] : Lines();
    }

    /// <summary>The file of a name.</summary>
    public string PathOf(string name) => Path.GetFullPath(Path.Combine(Root, name));

    private IEnumerable<string> Walk(string folder)
    {
        string path = Path.Combine(Root, folder);
        IEnumerable<string> files = Directory.EnumerateFiles(path).Where(ImageFiles.IsImage).Select(Path.GetFileName).OfType<string>();
        IEnumerable<string> children = Directory.EnumerateDirectories(path).Select(Path.GetFileName).OfType<string>();
        foreach (string file in files.Order(StringComparer.Ordinal))
            yield return Join(folder, file);
        foreach (string child in children.Order(StringComparer.Ordinal))
        {
            foreach (string name in Walk(Join(folder, child))) yield return name;
        }
    }

    private IEnumerable<string> Lines()
        => File.ReadLines(_path).Select(line => line.Trim()).Where(line => line.Length > 0);

    private static string Join(string folder, string name) => folder.Length == 0 ? name : $"{folder}/{name}";
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
    public RgbImage Read(int index) => images.Read(samples[index].Index);

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
    public RgbImage Read(int index) => index < labelled.Count ? labelled.Read(index) : others.Read(index - labelled.Count);

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
