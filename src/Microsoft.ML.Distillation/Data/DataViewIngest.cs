using Microsoft.ML.Distillation.Images;
using Microsoft.ML.Distillation.Rows;

namespace Microsoft.ML.Distillation.Data;

/// <summary>
/// Reads images from a data view, with or without their objects, once: every row is checked and every image decoded before
/// training starts.
/// </summary>
internal sealed class DataViewIngest(DataViewIngestOptions options)
{
    /// <summary>Reads all rows.</summary>
    /// <exception cref="ArgumentException">A column is missing or of a wrong type; the message names it and what is wanted.</exception>
    /// <exception cref="InvalidDataException">
    /// A row cannot be used (the message names row, column and, where it is known, image), or none is left.
    /// </exception>
    public SampleStore Read(IDataView view, CancellationToken cancellation = default)
    {
        using var rows = new RowReader(view, options.ImageColumns with
        {
            Option = options.Option,
            Label = options.LabelColumnName,
            LabelKind = ColumnKind.Keys,
            BoundingBoxes = options.BoundingBoxColumnName,
            Details = options.LeftOutColumnNames,
        });
        IReadOnlyList<string> keyNames = rows.KeyNames!, classNames = options.ClassNames ?? options.InOrder(keyNames);
        var invalid = new InvalidSamples(options.OnInvalidSample);
        var objects = new TrainingObjects(rows, options, keyNames, classNames, invalid);
        if (Store(rows, classNames, objects.Read, invalid, cancellation) is { } store) return store;
        string? summary = invalid.Summary();
        string set = options.Option ?? "The data set";
        throw new InvalidDataException(
            summary is null ? $"{set} is empty: it has no rows." : $"{set} has no image that can be used. {summary}");
    }

    /// <summary>Reads the images of all rows and nothing else; columns with labels, should there be any, are not looked at.</summary>
    /// <param name="option">The option that named the view, for messages.</param>
    /// <exception cref="ArgumentException">The column of images is missing or of a wrong type.</exception>
    /// <exception cref="InvalidDataException">An image cannot be used, or none is left.</exception>
    public SampleStore ReadUnlabelled(IDataView view, string option, CancellationToken cancellation = default)
    {
        using var rows = new RowReader(view, options.ImageColumns with { Option = option });
        var invalid = new InvalidSamples(options.OnInvalidSample);
        return Store(rows, options.ClassNames ?? [], ReadRow, invalid, cancellation)
            ?? throw new InvalidDataException($"{option} has no image that can be used. {invalid.Summary()}".TrimEnd());

        (RgbImage, Annotation)? ReadRow() => invalid.Try(rows.ReadImage) is { } image ? (image, Annotation.Empty) : null;
    }

    /// <summary>What is read of all rows, or null where nothing is.</summary>
    private SampleStore? Store(
        RowReader rows, IReadOnlyList<string> classNames, Func<(RgbImage Image, Annotation Annotation)?> read, InvalidSamples invalid,
        CancellationToken cancellation)
    {
        using var builder = new SampleStoreBuilder(classNames, options.CacheBytes, options.TemporaryFolder);
        while (rows.MoveNext())
        {
            cancellation.ThrowIfCancellationRequested();
            if (read() is (RgbImage image, Annotation annotation)) builder.Add(image, annotation);
        }

        if (builder.Count == 0) return null;
        foreach (string? warning in (string?[])[invalid.Summary(), rows.TurnedImages])
        {
            if (warning is not null) options.Warn?.Invoke(warning);
        }

        return builder.Build();
    }
}

/// <summary>Takes from each row the image and those of its objects that can be trained on.</summary>
/// <param name="keyNames">The names of the label column's keys.</param>
/// <param name="classNames">The classes that they are mapped onto by name.</param>
internal sealed class TrainingObjects(
    RowReader rows, DataViewIngestOptions options, IReadOnlyList<string> keyNames, IReadOnlyList<string> classNames, InvalidSamples invalid)
{
    private readonly Dictionary<string, int> _classes
        = classNames.Index().DistinctBy(pair => pair.Item).ToDictionary(pair => pair.Item, pair => pair.Index);

    /// <summary>The row's image and objects, or null where it is left out.</summary>
    /// <exception cref="InvalidDataException">The row cannot be used, and invalid samples are errors.</exception>
    public (RgbImage Image, Annotation Annotation)? Read()
    {
        // Objects first: a row that is left out because of them need not be decoded.
        if (invalid.Try(rows.ReadObjects) is not { } objects || invalid.Try(rows.ReadImage) is not { } image) return null;
        Annotation annotation = Usable(objects, new ImageSize(image.Width, image.Height));
        if (annotation.Count > 0 || Enumerable.Range(0, objects.Labels.Length).All(objects.IsLeftOut)) return (image, annotation);

        // Its objects are there, only nobody knows where: such an image would teach that they are background.
        invalid.AddImage($"{rows.Where}: no box of the image can be used.");
        return null;
    }

    private Annotation Usable(RowObjects objects, ImageSize image)
    {
        if (objects.Labels.Length == 0) return Annotation.Empty;
        var boxes = new List<float>(objects.Boxes.Length);
        var labels = new List<int>(objects.Labels.Length);
        for (int i = 0; i < objects.Labels.Length; i++)
        {
            if (objects.IsLeftOut(i)) continue;
            if (ClassOf(objects.Labels[i], i) is not { } label) continue;
            if (UsableBox(objects.Boxes.AsSpan(4 * i, 4), i, image) is not { } box) continue;
            boxes.AddRange([box.X0, box.Y0, box.X1, box.Y1]);
            labels.Add(label);
        }

        return new Annotation([.. boxes], [.. labels]);
    }

    private int? ClassOf(string? name, int index)
    {
        if (name is not null && _classes.TryGetValue(name, out int label)) return label;
        string column = $"{rows.Where}, column '{options.LabelColumnName}'";
        invalid.AddBox(name is null
            ? $"{column}: the label of object {index} is unknown (none of: {string.Join(", ", keyNames)})."
            : $"{column}: the label '{name}' of object {index} is none of the classes that are trained.");
        return null;
    }

    private (float X0, float Y0, float X1, float Y1)? UsableBox(ReadOnlySpan<float> box, int index, ImageSize image)
    {
        (float, float, float, float)? clipped = BoxCheck.Clip(box, image);
        if (BoxCheck.Problem(box, image) is not { } problem) return clipped;
        string text = $"{rows.Where}, column '{options.BoundingBoxColumnName}': box {index}, {BoxCheck.Text(box)}, {problem}.";
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

    /// <summary>How many bytes of decoded pixels are kept in memory; the rest goes to a temporary file.</summary>
    public long CacheBytes { get; init; } = DefaultCacheBytes;

    /// <summary>Where that temporary file lies; null is the system's folder for temporary files.</summary>
    public string? TemporaryFolder { get; init; }

    /// <summary>Classes in the order of <see cref="ClassOrder"/>, if it has just these.</summary>
    public IReadOnlyList<string> InOrder(IReadOnlyList<string> names)
        => ClassOrder is { } order && order.Count == names.Count && order.ToHashSet().SetEquals(names) ? order : names;

    /// <summary>Receives a line about what was left out, and one about images that do not stand upright, if there are any.</summary>
    public Action<string>? Warn { get; init; }

    /// <summary>The columns that every image is read from.</summary>
    public RowColumns ImageColumns => new() { Image = ImageColumnName, ImagePath = ImagePathColumnName };
}
