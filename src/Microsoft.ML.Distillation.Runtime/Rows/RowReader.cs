using Microsoft.ML.Data;
using Microsoft.ML.Distillation.Evaluation;
using Microsoft.ML.Distillation.Files;
using Microsoft.ML.Distillation.Images;

namespace Microsoft.ML.Distillation.Rows;

/// <summary>
/// The columns to read of a data view, by their names. Those that are named must be there, but for the path and the details.
/// </summary>
internal sealed record RowColumns
{
    /// <summary>What <c>LoadDetections</c> tells of objects beside label and box.</summary>
    public static readonly IReadOnlyList<string> AllDetails =
    [
        nameof(DetectionRow.Difficult), nameof(DetectionRow.Crowd), nameof(DetectionRow.Ignore),
        nameof(DetectionRow.Truncated), nameof(DetectionRow.Occluded), nameof(DetectionRow.Area),
    ];

    /// <summary>The option that named the data, for messages; null where there is but one set of data.</summary>
    public string? Option { get; init; }

    /// <summary>Images.</summary>
    public string? Image { get; init; }

    /// <summary>
    /// Whether images that come from files unchanged are read from these (<see cref="RowReader.ReadFile"/>), when they are due, and not by
    /// <see cref="RowReader.ReadImage"/>: where the data tell, see <see cref="UprightColumn"/>.
    /// </summary>
    public bool ImagesAsFiles { get; init; }

    /// <summary>The images' files, text, where the data have it: messages name rows by it.</summary>
    public string ImagePath { get; init; } = nameof(DetectionRow.ImagePath);

    /// <summary>The classes of the objects.</summary>
    public string? Label { get; init; }

    /// <summary>What that column must hold.</summary>
    public ColumnKind LabelKind { get; init; } = ColumnKind.Labels;

    /// <summary>The objects' boxes.</summary>
    public string? BoundingBoxes { get; init; }

    /// <summary>
    /// Which of <see cref="AllDetails"/> are read, each where the data have it as a vector of its type; a column of that name with
    /// another type is somebody else's.
    /// </summary>
    public IReadOnlyCollection<string> Details { get; init; } = [];

    /// <summary>The classes of the detections.</summary>
    public string? PredictedLabel { get; init; }

    /// <summary>The detections' scores.</summary>
    public string? Score { get; init; }

    /// <summary>The detections' boxes.</summary>
    public string? PredictedBoundingBoxes { get; init; }
}

/// <summary>
/// Reads a data view row by row: image, objects and detections, each when it is asked for, so that nothing is decoded that is not
/// needed. Everything in this library that takes data views reads them through here.
/// </summary>
internal sealed class RowReader : IDisposable
{
    private readonly DataViewRowCursor _cursor;
    private readonly Dictionary<string, DataViewSchema.Column> _columns = new(StringComparer.Ordinal);
    private readonly ValueGetter<ReadOnlyMemory<char>>? _getPath;
    private readonly ValueGetter<MLImage>? _getImage;
    private readonly LabelColumn? _labels, _predictedLabels;
    private readonly VectorColumn<float>? _boxes, _scores, _predictedBoxes, _truncated, _area;
    private readonly VectorColumn<bool>? _difficult, _crowd, _ignore;
    private readonly VectorColumn<int>? _occluded;
    private readonly string? _imageName, _option;
    private readonly bool _isUpright;
    private readonly ImageRows? _files;
    private readonly ValueGetter<ReadOnlyMemory<char>>? _getFile;
    private ImageRows? _foundFiles;
    private MLImage? _image;
    private int _turned;
    private string? _firstTurned;

    /// <exception cref="ArgumentException">
    /// A column is missing or of another type; the message names it, what is wanted, and what to do.
    /// </exception>
    public RowReader(IDataView view, RowColumns columns)
    {
        (_imageName, _option) = (columns.Image, columns.Option);
        DataViewSchema schema = view.Schema;
        Require(columns.Image, ColumnKind.Image);
        Require(columns.Label, columns.LabelKind);
        Require(columns.BoundingBoxes, ColumnKind.Boxes);
        Require(columns.PredictedLabel, ColumnKind.Labels);
        Require(columns.Score, ColumnKind.Scores);
        Require(columns.PredictedBoundingBoxes, ColumnKind.Boxes);
        if (schema.GetColumnOrNull(columns.ImagePath) is { Type: TextDataViewType } path) _columns[columns.ImagePath] = path;
        foreach (string name in columns.Details)
        {
            if (schema.GetColumnOrNull(name) is { } detail && IsDetail(detail)) _columns[name] = detail;
        }

        DataViewSchema.Column? files = null;
        if (columns.Image is { } read && UprightColumn.SourceOf(schema, _columns[read]) is var (loader, paths))
        {
            // Whoever passes rows on may read all columns that are asked for.
            if (columns.ImagesAsFiles) _columns.Remove(read);
            files = _columns[paths.Name] = paths;
            _files = new ImageRows(read, columns.Option, loader);
        }

        _cursor = view.GetRowCursor(_columns.Values);
        if (_columns.TryGetValue(columns.ImagePath, out path)) _getPath = _cursor.GetGetter<ReadOnlyMemory<char>>(path);
        if (files is { } column) _getFile = _cursor.GetGetter<ReadOnlyMemory<char>>(column);
        HasFiles = columns.ImagesAsFiles && _getFile is not null;
        if (columns.Image is { } image && !HasFiles)
        {
            _getImage = _cursor.GetGetter<MLImage>(_columns[image]);
            _isUpright = UprightColumn.Is(_columns[image]);
        }

        if (columns.Label is { } label) _labels = new LabelColumn(_cursor, _columns[label]);
        if (columns.PredictedLabel is { } predicted) _predictedLabels = new LabelColumn(_cursor, _columns[predicted]);
        _boxes = Vector<float>(columns.BoundingBoxes);
        _scores = Vector<float>(columns.Score);
        _predictedBoxes = Vector<float>(columns.PredictedBoundingBoxes);
        _difficult = Detail<bool>(nameof(DetectionRow.Difficult));
        _crowd = Detail<bool>(nameof(DetectionRow.Crowd));
        _ignore = Detail<bool>(nameof(DetectionRow.Ignore));
        _truncated = Detail<float>(nameof(DetectionRow.Truncated));
        _occluded = Detail<int>(nameof(DetectionRow.Occluded));
        _area = Detail<float>(nameof(DetectionRow.Area));

        void Require(string? name, ColumnKind kind)
        {
            if (name is not null) _columns[name] = kind.In(schema, name, columns.Option);
        }

        VectorColumn<T>? Vector<T>(string? name)
            => name is not null && _columns.TryGetValue(name, out DataViewSchema.Column column)
                ? new VectorColumn<T>(_cursor, column)
                : null;

        VectorColumn<T>? Detail<T>(string name) => columns.Details.Contains(name) ? Vector<T>(name) : null;
    }

    /// <summary>The option that named the data; null where there is but one set of data.</summary>
    public string? Option => _option;

    /// <summary>The number of the row, from 0.</summary>
    public long Row { get; private set; } = -1;

    /// <summary>The row's image file, where the data name it, or an empty text.</summary>
    public string Path { get; private set; } = "";

    /// <summary>The row, for messages.</summary>
    public string Where => ImageRows.Where(_option, Row, Path);

    /// <summary>Whether images are to be read from their files: by <see cref="ReadFile"/>, and not by <see cref="ReadImage"/>.</summary>
    public bool HasFiles { get; }

    /// <summary>
    /// The row's image in its file, of which nothing is read yet; where <see cref="UprightColumn.SourceOf"/> finds the paths.
    /// </summary>
    /// <exception cref="InvalidDataException">The row names no file.</exception>
    public ImageRow ReadFile()
    {
        ReadOnlyMemory<char> path = default;
        _getFile!(ref path);
        if (path.IsEmpty) throw Invalid("there is no image", null);
        string file = _files!.Loader.FileOf(path.ToString());
        return new ImageRow(_files, Row, file == Path ? file : Path, file);
    }

    /// <summary>The row's file as one that holds just these pixels; null where it does not, or is not known.</summary>
    public ImageRow? FileOf(RgbImage image)
    {
        if (!System.IO.Path.IsPathRooted(Path)) return null;
        var row = new ImageRow(_foundFiles ??= new ImageRows(_imageName!, _option, UprightColumn.OfFullPaths), Row, Path, Path);
        return row.Holds(image) ? row : null;
    }

    /// <summary>The names of the label column's keys, in their order; null where they have none.</summary>
    public IReadOnlyList<string>? KeyNames => ColumnKind.KeyNames(_columns[_labels!.Name]);

    /// <summary>Adds the classes that the label columns' keys know, whether or not they occur.</summary>
    public void AddKnownClasses(ClassIndex classes)
    {
        foreach (string name in (IEnumerable<string>)[.. _labels?.Names ?? [], .. _predictedLabels?.Names ?? []]) classes.Of(name);
    }

    /// <summary>Goes to the next row.</summary>
    public bool MoveNext()
    {
        if (!_cursor.MoveNext()) return false;
        Row++;
        ReadOnlyMemory<char> path = default;
        _getPath?.Invoke(ref path);
        Path = path.ToString();
        return true;
    }

    /// <summary>
    /// What is to be said of the images that were read, or null: photos that their Exif data turn and that the data give as they are
    /// stored, as far as the data name their files.
    /// </summary>
    public string? TurnedImages => _firstTurned is null
        ? null
        : $"{(_option is null ? "" : $"{_option}: ")}{_turned} of {Counted.Of(Row + 1, "image")} "
            + $"{(_turned == 1 ? "is a photo that is" : "are photos that are")} to be turned by Exif data, "
            + "which ML.NET's LoadImages does not do: boxes drawn on the upright picture do not fit them. Load images with "
            + $"mlContext.Transforms.LoadUprightImages. The first: '{_firstTurned}'.";

    /// <summary>The row's image.</summary>
    /// <exception cref="InvalidDataException">There is none, or it cannot be read, or not to its end.</exception>
    public RgbImage ReadImage()
    {
        // What another loader will read is looked at before: it decodes whatever its size, and turns nothing.
        bool isFile = System.IO.Path.IsPathRooted(Path) && !_isUpright;
        ImageTurn? turn = isFile ? CheckedTurn() : null;
        RgbImage? pixels;
        try
        {
            // Most getters dispose the image before; this library's own loader leaves that to whoever asks.
            _image?.Dispose();
            _getImage!(ref _image!);
            pixels = _image is null ? null : MLImagePixels.ToRgb(_image);
        }
        catch (Exception exception) when (exception is not (OutOfMemoryException or OperationCanceledException))
        {
            // The getter may have disposed it already; disposing twice is harmless.
            _image?.Dispose();
            _image = null;
            throw Invalid(ImageRows.Problem(exception, isFile ? Path : null), exception);
        }

        if (pixels is null) throw Invalid("there is no image", null);
        if (turn is { IsNone: false } turned && turned.Stored == new ImageSize(pixels.Width, pixels.Height))
        {
            _turned++;
            _firstTurned ??= Path;
        }

        // ML.NET's loader fills up a picture that breaks off, and says nothing.
        return turn is not null && FileProblem(Path) is { } cut ? throw Invalid($"the image cannot be read: {cut}", null) : pixels;
    }

    private InvalidDataException Invalid(string problem, Exception? inner)
        => ImageRows.Invalid(Where, _imageName!, problem, inner);

    /// <summary>How the row's file is to be turned; null where it is none that is known here.</summary>
    /// <exception cref="InvalidDataException">It has too many pixels.</exception>
    private ImageTurn? CheckedTurn()
    {
        try
        {
            using var file = ImageFile.Open(Path);
            file.CheckSize();
            return file.Turn;
        }
        catch (UnreadableImageException exception) when (exception.Problem != UnreadableImageException.NoImage)
        {
            throw Invalid($"the image cannot be read: {exception.Problem}", exception);
        }
        catch (Exception exception) when (exception is FormatException or IOException or UnauthorizedAccessException)
        {
            return null;
        }
    }

    /// <summary>The row's objects.</summary>
    /// <exception cref="InvalidDataException">A column has another number of values than there are labels.</exception>
    public RowObjects ReadObjects()
    {
        string?[] labels = _labels!.Read();
        return new RowObjects(labels, Read(_boxes!, _labels, labels.Length, each: 4))
        {
            Difficult = Detail(_difficult),
            Crowd = Detail(_crowd),
            Ignore = Detail(_ignore),
            Truncated = Detail(_truncated),
            Occluded = Detail(_occluded),
            Area = Detail(_area),
        };

        T[]? Detail<T>(VectorColumn<T>? column) => column is null ? null : Read(column, _labels, labels.Length);
    }

    /// <summary>The row's detections, their classes numbered by an index.</summary>
    /// <exception cref="InvalidDataException">A column has another number of values than there are labels.</exception>
    public DetectedBox[] ReadDetections(ClassIndex classes)
    {
        string?[] labels = _predictedLabels!.Read();
        float[] scores = Read(_scores!, _predictedLabels, labels.Length);
        float[] boxes = Read(_predictedBoxes!, _predictedLabels, labels.Length, each: 4);
        return [.. labels.Select((label, i) => new DetectedBox(Box.At(boxes, i), classes.Of(label), scores[i]))];
    }

    /// <inheritdoc/>
    public void Dispose()
    {
        _image?.Dispose();
        _cursor.Dispose();
    }

    private static bool IsDetail(DataViewSchema.Column column) => column.Name switch
    {
        nameof(DetectionRow.Truncated) or nameof(DetectionRow.Area) => ColumnKind.IsVectorOf<float>(column.Type),
        nameof(DetectionRow.Occluded) => ColumnKind.IsVectorOf<int>(column.Type),
        _ => ColumnKind.IsVectorOf<bool>(column.Type),
    };

    /// <summary>What is wrong with the file of an image that was read; a file of another kind than the decoder's is none of it.</summary>
    private static string? FileProblem(string file)
    {
        try
        {
            return ImageFile.Problem(file);
        }
        catch (Exception exception) when (exception is UnreadableImageException or IOException or UnauthorizedAccessException)
        {
            return null;
        }
    }

    /// <summary>The values of a column, so many for each label.</summary>
    private T[] Read<T>(VectorColumn<T> column, LabelColumn labelColumn, int labels, int each = 1)
    {
        T[] values = column.Read();
        if (values.Length == each * labels) return values;
        throw new InvalidDataException(
            $"{Where}: column '{column.Name}' has {values.Length} values, "
            + $"but {labels} labels in column '{labelColumn.Name}' need {each * labels}.");
    }

    /// <summary>A column of vectors.</summary>
    private sealed class VectorColumn<T>(DataViewRowCursor cursor, DataViewSchema.Column column)
    {
        private readonly ValueGetter<VBuffer<T>> _get = cursor.GetGetter<VBuffer<T>>(column);
        private VBuffer<T> _buffer;

        public string Name => column.Name;

        public T[] Read()
        {
            _get(ref _buffer);
            return [.. _buffer.DenseValues()];
        }
    }

    /// <summary>A column of labels, keys or text, read as names.</summary>
    private sealed class LabelColumn
    {
        private readonly VectorColumn<uint>? _keys;
        private readonly VectorColumn<ReadOnlyMemory<char>>? _text;

        public LabelColumn(DataViewRowCursor cursor, DataViewSchema.Column column)
        {
            Name = column.Name;
            if (column.Type is VectorDataViewType { ItemType: KeyDataViewType key })
            {
                _keys = new VectorColumn<uint>(cursor, column);
                // Keys without names are known by their number.
                Names = ColumnKind.KeyNames(column) ?? [.. Enumerable.Range(1, checked((int)key.Count)).Select(number => $"{number}")];
            }
            else
            {
                _text = new VectorColumn<ReadOnlyMemory<char>>(cursor, column);
            }
        }

        public string Name { get; }

        /// <summary>The names of all keys; none for text.</summary>
        public IReadOnlyList<string> Names { get; } = [];

        /// <summary>The names; null for a label that a key column has lost.</summary>
        public string?[] Read()
            => _keys is not null
                ? Array.ConvertAll(_keys.Read(), key => key > 0 && key <= Names.Count ? Names[(int)key - 1] : null)
                : Array.ConvertAll(_text!.Read(), name => (string?)name.ToString());
    }
}

/// <summary>What a row says of its objects: values side by side, details null where the data do not have them.</summary>
/// <param name="Labels">
/// The names of the classes; null for a label that a key column has lost, as its mapping did not know the class.
/// </param>
/// <param name="Boxes">4N values, x0 y0 x1 y1 of each object in pixels.</param>
internal sealed record RowObjects(string?[] Labels, float[] Boxes)
{
    /// <summary>VOC's difficult objects.</summary>
    public bool[]? Difficult { get; init; }

    /// <summary>Groups of objects.</summary>
    public bool[]? Crowd { get; init; }

    /// <summary>Regions in which nothing is right or wrong.</summary>
    public bool[]? Ignore { get; init; }

    /// <summary>The share beyond the image's edge, 0 to 1.</summary>
    public float[]? Truncated { get; init; }

    /// <summary>KITTI's occlusion, 0 to 3.</summary>
    public int[]? Occluded { get; init; }

    /// <summary>The objects' own areas in square pixels.</summary>
    public float[]? Area { get; init; }

    /// <summary>Whether a flag that was read marks an object as none to train on.</summary>
    public bool IsLeftOut(int index) => Difficult?[index] == true || Crowd?[index] == true || Ignore?[index] == true;

    /// <summary>The objects as ground truth. The label of a region may be empty or lost: it then concerns every class.</summary>
    public TrueBox[] ToTruth(ClassIndex classes) => [.. Labels.Select((label, i) =>
    {
        Box box = Box.At(Boxes, i);
        bool isRegion = Ignore?[i] ?? false;
        return new TrueBox(box, isRegion && string.IsNullOrEmpty(label) ? TrueBox.EveryClass : classes.Of(label))
        {
            Area = Area?[i] ?? box.Area,
            Crowd = Crowd?[i] ?? false,
            Difficult = Difficult?[i] ?? false,
            DontCare = isRegion,
            Truncation = Truncated?[i] ?? 0,
            Occlusion = Occluded?[i] ?? 0,
        };
    })];
}

/// <summary>The classes by name, numbered in the order in which they are first seen.</summary>
internal sealed class ClassIndex
{
    // The name of a label that a key column has lost.
    private const string UnknownClass = "(unknown)";

    private readonly Dictionary<string, int> _indices = new(StringComparer.Ordinal);
    private readonly List<string> _names = [];

    /// <summary>The classes so far.</summary>
    public IReadOnlyList<string> Names => _names;

    /// <summary>The number of a class.</summary>
    /// <param name="name">Its name; null where it is lost.</param>
    public int Of(string? name)
    {
        name ??= UnknownClass;
        if (_indices.TryGetValue(name, out int index)) return index;
        _names.Add(name);
        return _indices[name] = _names.Count - 1;
    }
}
