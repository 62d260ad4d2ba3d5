using Microsoft.ML.Data;
using Microsoft.ML.Distillation.Images;
using Microsoft.ML.Transforms.Image;

namespace Microsoft.ML.Distillation.Rows;

/// <summary>Reads and checks the row on which a cursor stands.</summary>
internal sealed class IngestRowReader : IDisposable
{
    private readonly IngestColumns _columns;
    private readonly IReadOnlyList<string> _keyNames;
    private readonly int[] _classOfKey;
    private readonly InvalidSamples _invalid;
    private readonly ImageReader _image;
    private readonly ValueGetter<VBuffer<uint>> _getLabels;
    private readonly ValueGetter<VBuffer<float>> _getBoxes;
    private readonly ValueGetter<ReadOnlyMemory<char>>? _getPath;
    private readonly ValueGetter<VBuffer<bool>>[] _getLeftOut;

    private VBuffer<uint> _labels;
    private VBuffer<float> _boxes;
    private VBuffer<bool> _flags;

    /// <param name="keyNames">The names of the label column's keys.</param>
    /// <param name="classNames">The classes that they are mapped onto by name.</param>
    public IngestRowReader(
        DataViewRowCursor cursor, IngestColumns columns, IReadOnlyList<string> keyNames, IReadOnlyList<string> classNames, InvalidSamples invalid)
    {
        _columns = columns;
        _keyNames = keyNames;
        _classOfKey = [.. keyNames.Select(name => IndexOf(classNames, name))];
        _invalid = invalid;
        _image = new ImageReader(cursor, columns.Image, invalid);
        _getLabels = cursor.GetGetter<VBuffer<uint>>(columns.Label);
        _getBoxes = cursor.GetGetter<VBuffer<float>>(columns.Boxes);
        _getLeftOut = [.. columns.LeftOut.Select(cursor.GetGetter<VBuffer<bool>>)];
        if (columns.Path is { } path) _getPath = cursor.GetGetter<ReadOnlyMemory<char>>(path);
    }

    /// <summary>The row's image and objects, or null where it is left out.</summary>
    /// <param name="row">The number of the row, from 0, for messages.</param>
    /// <exception cref="InvalidDataException">The row cannot be used, and invalid samples are errors.</exception>
    public (RgbImage Image, Annotation Annotation)? Read(long row)
    {
        ReadOnlyMemory<char> path = default;
        _getPath?.Invoke(ref path);
        string where = path.IsEmpty ? $"Row {row}" : $"Row {row} ('{path}')";
        // Objects first: a row that is left out because of them need not be decoded.
        _getLabels(ref _labels);
        _getBoxes(ref _boxes);
        if (_boxes.Length != 4 * _labels.Length)
        {
            _invalid.AddImage(
                $"{where}: column '{_columns.Boxes.Name}' has {_boxes.Length} values, but {_labels.Length} labels in column "
                + $"'{_columns.Label.Name}' need {4 * _labels.Length}, four for each.");
            return null;
        }

        if (ReadLeftOut(where) is not { } leftOut) return null;
        if (_image.Read(where, path) is not { } image) return null;
        Annotation annotation = ReadObjects(where, new ImageSize(image.Width, image.Height), leftOut);
        if (annotation.Count > 0 || leftOut.All(isLeftOut => isLeftOut)) return (image, annotation);

        // Its objects are there, only nobody knows where: such an image would teach that they are background.
        _invalid.AddImage($"{where}: no box of the image can be used.");
        return null;
    }

    /// <inheritdoc/>
    public void Dispose() => _image.Dispose();

    /// <summary>For each object whether a column marks it as none to train on; null where such a column has another length.</summary>
    private bool[]? ReadLeftOut(string where)
    {
        var leftOut = new bool[_labels.Length];
        for (int i = 0; i < _getLeftOut.Length; i++)
        {
            _getLeftOut[i](ref _flags);
            if (_flags.Length != leftOut.Length)
            {
                _invalid.AddImage($"{where}: column '{_columns.LeftOut[i].Name}' has {_flags.Length} values for {leftOut.Length} labels in column '{_columns.Label.Name}'.");
                return null;
            }

            foreach (KeyValuePair<int, bool> flag in _flags.Items()) leftOut[flag.Key] |= flag.Value;
        }

        return leftOut;
    }

    private Annotation ReadObjects(string where, ImageSize image, bool[] leftOut)
    {
        if (_labels.Length == 0) return Annotation.Empty;
        ReadOnlySpan<float> coordinates = [.. _boxes.DenseValues()];
        uint[] keys = [.. _labels.DenseValues()];
        var boxes = new List<float>(coordinates.Length);
        var labels = new List<int>(keys.Length);
        for (int i = 0; i < keys.Length; i++)
        {
            if (leftOut[i]) continue;
            if (ClassOf(keys[i], i, where) is not { } label) continue;
            if (UsableBox(coordinates.Slice(4 * i, 4), i, where, image) is not { } box) continue;
            boxes.AddRange([box.X0, box.Y0, box.X1, box.Y1]);
            labels.Add(label);
        }

        return new Annotation([.. boxes], [.. labels]);
    }

    private int? ClassOf(uint key, int index, string where)
    {
        string column = $"{where}, column '{_columns.Label.Name}'";
        if (key == 0 || key > _classOfKey.Length)
            _invalid.AddBox($"{column}: the label of object {index} is unknown (none of: {string.Join(", ", _keyNames)}).");
        else if (_classOfKey[key - 1] < 0)
            _invalid.AddBox($"{column}: the label '{_keyNames[(int)key - 1]}' of object {index} is none of the classes that are trained.");
        else
            return _classOfKey[key - 1];
        return null;
    }

    private (float X0, float Y0, float X1, float Y1)? UsableBox(ReadOnlySpan<float> box, int index, string where, ImageSize image)
    {
        (float, float, float, float)? clipped = BoxCheck.Clip(box, image);
        if (BoxCheck.Problem(box, image) is not { } problem) return clipped;
        string text = $"{where}, column '{_columns.Boxes.Name}': box {index}, {BoxCheck.Text(box)}, {problem}.";
        if (clipped is null) _invalid.AddBox(text);
        else _invalid.AddClippedBox(text);
        return clipped;
    }

    private static int IndexOf(IReadOnlyList<string> names, string name)
    {
        for (int i = 0; i < names.Count; i++)
        {
            if (names[i] == name) return i;
        }

        return -1;
    }
}

/// <summary>The columns that training reads, found in a schema and checked.</summary>
internal sealed class IngestColumns
{
    private IngestColumns(DataViewSchema.Column image, DataViewSchema.Column label, DataViewSchema.Column boxes, DataViewSchema.Column? path, IReadOnlyList<DataViewSchema.Column> leftOut)
    {
        Image = image;
        Label = label;
        Boxes = boxes;
        Path = path;
        LeftOut = leftOut;
    }

    /// <summary>The images.</summary>
    public DataViewSchema.Column Image { get; }

    /// <summary>The objects' classes, keys.</summary>
    public DataViewSchema.Column Label { get; }

    /// <summary>The objects' boxes.</summary>
    public DataViewSchema.Column Boxes { get; }

    /// <summary>The images' paths, where the data has them.</summary>
    public DataViewSchema.Column? Path { get; }

    /// <summary>Columns that mark objects to be left out, where the data has them.</summary>
    public IReadOnlyList<DataViewSchema.Column> LeftOut { get; }

    /// <summary>All columns to be read.</summary>
    public IEnumerable<DataViewSchema.Column> All => Path is { } path ? [Image, Label, Boxes, .. LeftOut, path] : [Image, Label, Boxes, .. LeftOut];

    /// <exception cref="ArgumentException">A column is missing or has another type than it must; the message names it.</exception>
    public static IngestColumns Find(DataViewSchema schema, DataViewIngestOptions options)
    {
        DataViewSchema.Column image = Column(schema, options.ImageColumnName, "the images");
        if (image.Type is not ImageDataViewType)
            throw WrongType(image, "images", "Load them with mlContext.Transforms.LoadImages");

        DataViewSchema.Column boxes = Column(schema, options.BoundingBoxColumnName, "the objects' boxes");
        if (boxes.Type is not VectorDataViewType { ItemType: NumberDataViewType { RawType: var number } } || number != typeof(float))
            throw WrongType(boxes, "a vector of Single: x0 y0 x1 y1 of each object in pixels of the image", "Convert it with mlContext.Transforms.Conversion.ConvertType");

        DataViewSchema.Column label = Column(schema, options.LabelColumnName, "the objects' classes");
        if (label.Type is not VectorDataViewType { ItemType: KeyDataViewType { RawType: var key } } || key != typeof(uint))
            throw WrongType(label, "a vector of keys (UInt32), one for each object", "Make keys of names with mlContext.Transforms.Conversion.MapValueToKey");

        DataViewSchema.Column? path = schema.GetColumnOrNull(options.ImagePathColumnName) is { Type: TextDataViewType } text ? text : null;
        return new IngestColumns(image, label, boxes, path, [.. options.LeftOutColumnNames.Select(schema.GetColumnOrNull).OfType<DataViewSchema.Column>().Where(IsFlags)]);
    }

    /// <summary>The names of the label column's keys, in their order.</summary>
    /// <exception cref="ArgumentException">The keys have no names.</exception>
    public IReadOnlyList<string> ReadClassNames()
    {
        if (!Label.HasKeyValues(TextDataViewType.Instance))
        {
            throw new ArgumentException(
                $"The keys of column '{Label.Name}' have no names (text key values). Make them with mlContext.Transforms.Conversion.MapValueToKey; "
                + "if they were, the data that it was fitted on has no object.");
        }

        VBuffer<ReadOnlyMemory<char>> names = default;
        Label.GetKeyValues(ref names);
        string[] classNames = [.. names.DenseValues().Select(name => name.ToString())];
        return classNames.Length > 0 ? classNames : throw new ArgumentException($"Column '{Label.Name}' knows no class: the data it was made from has no object.");
    }

    private static bool IsFlags(DataViewSchema.Column column) => column.Type is VectorDataViewType { ItemType: BooleanDataViewType };

    private static DataViewSchema.Column Column(DataViewSchema schema, string name, string what)
        => schema.GetColumnOrNull(name) ?? throw new ArgumentException(
            $"The data has no column '{name}', which holds {what}. It has: {string.Join(", ", schema.Select(column => column.Name))}.");

    private static ArgumentException WrongType(DataViewSchema.Column column, string wanted, string advice)
        => new($"Column '{column.Name}' is of type {column.Type}, but must be {wanted}. {advice}.");
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

    /// <summary>What happens to samples that cannot be used.</summary>
    public InvalidSampleHandling OnInvalidSample { get; init; } = InvalidSampleHandling.Error;

    /// <summary>How many bytes of decoded pixels are kept in memory; the rest goes to a temporary file.</summary>
    public long CacheBytes { get; init; } = DefaultCacheBytes;

    /// <summary>Where that temporary file lies; null is the system's folder for temporary files.</summary>
    public string? TemporaryFolder { get; init; }

    /// <summary>Receives one line about what was left out, if anything was.</summary>
    public Action<string>? Warn { get; init; }
}
