using System.Globalization;
using Microsoft.ML.Distillation.Images;
using Microsoft.ML.Distillation.Rows;

namespace Microsoft.ML.Distillation.Data;

/// <summary>
/// Reads images from a data view, with or without their objects, once, before training starts. Every row is checked, and the header of
/// every file that an image comes from; its pixels are decoded when training asks for them. An image that is in no file that the data
/// name is decoded at once.
/// </summary>
internal sealed class DataViewIngest(DataViewIngestOptions options)
{
    // So many headers are read side by side, before it is said how far that is.
    private const int FilesAtOnce = 512;

    /// <summary>Reads all rows.</summary>
    /// <exception cref="ArgumentException">A column is missing or of a wrong type; the message names it and what is wanted.</exception>
    /// <exception cref="InvalidDataException">
    /// A row cannot be used (the message names row, column and, where it is known, image), or none is left.
    /// </exception>
    /// <exception cref="IOException">Images that are in no file do not fit into the temporary folder.</exception>
    public SampleStore Read(IDataView view, CancellationToken cancellation = default)
    {
        using var rows = new RowReader(view, options.ImageColumns with
        {
            Option = options.Option,
            ImagesAsFiles = HasImagesInFiles(view),
            Label = options.LabelColumnName,
            LabelKind = ColumnKind.Keys,
            BoundingBoxes = options.BoundingBoxColumnName,
            Details = options.LeftOutColumnNames,
        });
        IReadOnlyList<string> keyNames = rows.KeyNames!, classNames = options.ClassNames ?? options.InOrder(keyNames);
        var invalid = new InvalidSamples(options.OnInvalidSample);
        var objects = new TrainingObjects(options, keyNames, classNames, invalid);
        if (Store(rows, classNames, rows.ReadObjects, objects.Usable, invalid, view.GetRowCount(), cancellation) is { } store) return store;
        string? summary = invalid.Summary();
        string set = options.Option ?? "The data set";
        throw new InvalidDataException(
            summary is null ? $"{set} is empty: it has no rows." : $"{set} has no image that can be used. {summary}");
    }

    /// <summary>Reads the images of all rows and nothing else; columns with labels, should there be any, are not looked at.</summary>
    /// <param name="option">The option that named the view, for messages.</param>
    /// <exception cref="ArgumentException">The column of images is missing or of a wrong type.</exception>
    /// <exception cref="InvalidDataException">An image cannot be used, or none is left.</exception>
    /// <exception cref="IOException">Images that are in no file do not fit into the temporary folder.</exception>
    public SampleStore ReadUnlabelled(IDataView view, string option, CancellationToken cancellation = default)
    {
        using var rows = new RowReader(view, options.ImageColumns with { Option = option, ImagesAsFiles = HasImagesInFiles(view) });
        var invalid = new InvalidSamples(options.OnInvalidSample);
        return Store(rows, options.ClassNames ?? [], () => null, (_, _, _) => Annotation.Empty, invalid, view.GetRowCount(), cancellation)
            ?? throw new InvalidDataException($"{option} has no image that can be used. {invalid.Summary()}".TrimEnd());
    }

    /// <summary>
    /// Whether the images are those of the files that the data name: what the schema tells is tried on the first image that can be read.
    /// </summary>
    private bool HasImagesInFiles(IDataView view)
    {
        if (view.Schema.GetColumnOrNull(options.ImageColumnName) is not { } images || UprightColumn.SourceOf(view.Schema, images) is null)
            return false;
        using var rows = new RowReader(view, options.ImageColumns);
        while (rows.MoveNext())
        {
            try
            {
                return rows.ReadFile().Holds(rows.ReadImage());
            }
            catch (InvalidDataException)
            {
                // Its turn to be told of comes.
            }
        }

        return true;
    }

    /// <summary>What is read of all rows, or null where nothing is.</summary>
    /// <param name="readObjects">Reads the objects of the row that is due.</param>
    /// <param name="usable">Those of a row's objects that can be trained on; null: the row is left out.</param>
    private SampleStore? Store(
        RowReader rows, IReadOnlyList<string> classNames, Func<RowObjects?> readObjects,
        Func<string, RowObjects?, ImageSize, Annotation?> usable, InvalidSamples invalid, long? total, CancellationToken cancellation)
    {
        using var builder = new SampleStoreBuilder(
            classNames, options.Cache ?? new PixelBudget(options.CacheBytes), options.TemporaryFolder,
            new UnreadableSamples(options.OnInvalidSample, options.Warn));
        var chunk = new List<PendingRow>();
        var clock = new ReadingClock(options.Say, rows.Option ?? "the training data", total);
        // Images that are decoded at once wait for nothing.
        int atOnce = rows.HasFiles ? FilesAtOnce : 1;
        bool more = true;
        while (more)
        {
            chunk.Clear();
            while (chunk.Count < atOnce && (more = rows.MoveNext())) chunk.Add(new PendingRow(rows, readObjects));
            if (rows.HasFiles)
            {
                Parallel.ForEach(chunk, new ParallelOptions { CancellationToken = cancellation }, row => row.ReadSize());
            }

            foreach (PendingRow row in chunk)
            {
                cancellation.ThrowIfCancellationRequested();
                if (invalid.Try(row.Check) is null || usable(row.Where, row.Objects, row.Size) is not { } annotation) continue;
                if (row.File is { } file) builder.Add(file, row.Size, annotation);
                else if (options.AnnotationsOnly) builder.Add(row.Size, annotation);
                else builder.Add(row.Image!, annotation, () => rows.FileOf(row.Image!));
            }

            clock.At(rows.Row + 1);
        }

        if (builder.Count == 0) return null;
        foreach (string? warning in (string?[])[invalid.Summary(), rows.TurnedImages, SpillWarning(builder)])
        {
            if (warning is not null) options.Warn?.Invoke(warning);
        }

        return builder.Build();
    }

    private string? SpillWarning(SampleStoreBuilder builder)
    {
        if (builder.SpilledBytes == 0) return null;
        string size = (builder.SpilledBytes / 1e9).ToString("0.0", CultureInfo.InvariantCulture);
        return $"{options.Option ?? "The training data"}: {size} GB of decoded images are in a temporary file in "
            + $"'{options.TemporaryFolder ?? Path.GetTempPath()}' (TemporaryFolder sets another place), as they are more than CacheBytes "
            + "and in no file that the data name. Images that mlContext.Transforms.LoadUprightImages reads are decoded from their files "
            + "when they are due.";
    }
}

/// <summary>A row that has been read, but for the header of its image's file.</summary>
internal sealed class PendingRow
{
    private InvalidDataException? _problem;

    /// <summary>Reads the row that is due. Objects first: a row that is left out because of them need not be decoded.</summary>
    public PendingRow(RowReader rows, Func<RowObjects?> readObjects)
    {
        Where = rows.Where;
        try
        {
            Objects = readObjects();
            if (rows.HasFiles)
            {
                File = rows.ReadFile();
            }
            else
            {
                Image = rows.ReadImage();
                Size = new ImageSize(Image.Width, Image.Height);
            }
        }
        catch (InvalidDataException exception)
        {
            _problem = exception;
        }
    }

    /// <summary>The row, for messages.</summary>
    public string Where { get; }

    /// <summary>Its objects, where they are read.</summary>
    public RowObjects? Objects { get; }

    /// <summary>Its image, where it lies in a file that the data name.</summary>
    public ImageRow? File { get; }

    /// <summary>Its image, else.</summary>
    public RgbImage? Image { get; }

    /// <summary>The size of the image.</summary>
    public ImageSize Size { get; private set; }

    /// <summary>Reads the size from the file's header. May run beside that of other rows.</summary>
    public void ReadSize()
    {
        if (_problem is not null) return;
        try
        {
            Size = File!.ReadSize();
        }
        catch (InvalidDataException exception)
        {
            _problem = exception;
        }
    }

    /// <summary>The row itself.</summary>
    /// <exception cref="InvalidDataException">It cannot be used.</exception>
    public PendingRow Check() => _problem is null ? this : throw _problem;
}

/// <summary>Takes from each row those of its objects that can be trained on.</summary>
/// <param name="keyNames">The names of the label column's keys.</param>
/// <param name="classNames">The classes that they are mapped onto by name.</param>
internal sealed class TrainingObjects(
    DataViewIngestOptions options, IReadOnlyList<string> keyNames, IReadOnlyList<string> classNames, InvalidSamples invalid)
{
    private readonly Dictionary<string, int> _classes
        = classNames.Index().DistinctBy(pair => pair.Item).ToDictionary(pair => pair.Item, pair => pair.Index);

    /// <summary>The objects of a row, or null where the row is left out.</summary>
    /// <param name="where">The row, for messages.</param>
    /// <param name="objects">All its objects.</param>
    /// <param name="image">The size of its image.</param>
    /// <exception cref="InvalidDataException">The row cannot be used, and invalid samples are errors.</exception>
    public Annotation? Usable(string where, RowObjects? objects, ImageSize image)
    {
        Annotation annotation = UsableObjects(where, objects!, image);
        if (annotation.Count > 0 || Enumerable.Range(0, objects!.Labels.Length).All(objects.IsLeftOut)) return annotation;

        // Its objects are there, only nobody knows where: such an image would teach that they are background.
        invalid.AddImage($"{where}: no box of the image can be used.");
        return null;
    }

    private Annotation UsableObjects(string where, RowObjects objects, ImageSize image)
    {
        if (objects.Labels.Length == 0) return Annotation.Empty;
        var boxes = new List<float>(objects.Boxes.Length);
        var labels = new List<int>(objects.Labels.Length);
        for (int i = 0; i < objects.Labels.Length; i++)
        {
            if (objects.IsLeftOut(i)) continue;
            if (ClassOf(where, objects.Labels[i], i) is not { } label) continue;
            if (UsableBox(where, objects.Boxes.AsSpan(4 * i, 4), i, image) is not { } box) continue;
            boxes.AddRange([box.X0, box.Y0, box.X1, box.Y1]);
            labels.Add(label);
        }

        return new Annotation([.. boxes], [.. labels]);
    }

    private int? ClassOf(string where, string? name, int index)
    {
        if (name is not null && _classes.TryGetValue(name, out int label)) return label;
        string column = $"{where}, column '{options.LabelColumnName}'";
        invalid.AddBox(name is null
            ? $"{column}: the label of object {index} is unknown (none of: {string.Join(", ", keyNames)})."
            : $"{column}: the label '{name}' of object {index} is none of the classes that are trained.");
        return null;
    }

    private (float X0, float Y0, float X1, float Y1)? UsableBox(
        string where, ReadOnlySpan<float> box, int index, ImageSize image)
    {
        (float, float, float, float)? clipped = BoxCheck.Clip(box, image);
        if (BoxCheck.Problem(box, image) is not { } problem) return clipped;
        string text = $"{where}, column '{options.BoundingBoxColumnName}': box {index}, {BoxCheck.Text(box)}, {problem}.";
        if (clipped is null) invalid.AddBox(text);
        else invalid.AddClippedBox(text);
        return clipped;
    }
}

/// <summary>What the ingest of a data view reads, and how it treats what it finds.</summary>
internal sealed record DataViewIngestOptions
{
    /// <summary>How many bytes of decoded pixels are kept in memory by default.</summary>
    public const long DefaultCacheBytes = 1L << 30;

    /// <summary>The column with the images.</summary>
    public string ImageColumnName { get; init; } = "Image";

    /// <summary>The column with the classes of each image's objects: a vector of keys.</summary>
    public string LabelColumnName { get; init; } = "Label";

    /// <summary>The column with the objects' boxes: x0 y0 x1 y1 of each in pixels of the loaded image.</summary>
    public string BoundingBoxColumnName { get; init; } = "BoundingBoxes";

    /// <summary>A text column that messages name images by, where the data has one.</summary>
    public string ImagePathColumnName { get; init; } = "ImagePath";

    /// <summary>
    /// Columns of Boolean vectors, where the data has them, that mark objects to be left out of training: groups of objects, and
    /// regions that belong to no class.
    /// </summary>
    public IReadOnlyList<string> LeftOutColumnNames { get; init; } = [nameof(DetectionRow.Crowd), nameof(DetectionRow.Ignore)];

    /// <summary>
    /// The classes that labels are mapped onto by name; null takes those of the label column. For a validation set, whose
    /// keys may be numbered otherwise than the training set's.
    /// </summary>
    public IReadOnlyList<string>? ClassNames { get; init; }

    /// <summary>
    /// The order of the classes where <see cref="ClassNames"/> leaves it open and the label column has just these: that of a network which
    /// knows them already.
    /// </summary>
    public IReadOnlyList<string>? ClassOrder { get; init; }

    /// <summary>The option that names the data, for messages; null for the training data.</summary>
    public string? Option { get; init; }

    /// <summary>What happens to samples that cannot be used.</summary>
    public InvalidSampleHandling OnInvalidSample { get; init; } = InvalidSampleHandling.Error;

    /// <summary>How many bytes of decoded pixels are kept in memory; the rest is decoded from its files, each time.</summary>
    public long CacheBytes { get; init; } = DefaultCacheBytes;

    /// <summary>The same for several data sets together; null: this one has <see cref="CacheBytes"/> alone.</summary>
    public PixelBudget? Cache { get; init; }

    /// <summary>
    /// Where a temporary file takes the pixels beyond that which are in no file; null is the system's folder for temporary files.
    /// </summary>
    public string? TemporaryFolder { get; init; }

    /// <summary>Whether nobody will ask for pixels.</summary>
    public bool AnnotationsOnly { get; init; }

    /// <summary>Classes in the order of <see cref="ClassOrder"/>, if it has just these.</summary>
    public IReadOnlyList<string> InOrder(IReadOnlyList<string> names)
        => ClassOrder is { } order && order.Count == names.Count && order.ToHashSet().SetEquals(names) ? order : names;

    /// <summary>Receives a line about what was left out, and one about images that do not stand upright, if there are any.</summary>
    public Action<string>? Warn { get; init; }

    /// <summary>Receives a line now and then about how far reading has come.</summary>
    public Action<string>? Say { get; init; }

    /// <summary>The columns that every image is read from.</summary>
    public RowColumns ImageColumns => new() { Image = ImageColumnName, ImagePath = ImagePathColumnName };
}
