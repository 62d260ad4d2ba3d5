using Microsoft.ML.Data;
using Microsoft.ML.Distillation.Evaluation;

namespace Microsoft.ML.Distillation.Rows;

/// <summary>Reads the annotated objects of the row on which a cursor stands, with all that their columns say of them.</summary>
internal sealed class TruthReader
{
    private readonly TruthColumns _columns;
    private readonly LabelReader _labels;
    private readonly ValueGetter<VBuffer<float>> _getBoxes;
    private readonly Func<long, int, bool[]?> _difficult, _crowd, _ignore;
    private readonly Func<long, int, float[]?> _truncated, _area;
    private readonly Func<long, int, int[]?> _occluded;
    private VBuffer<float> _boxes;

    public TruthReader(DataViewRowCursor cursor, TruthColumns columns, ClassIndex classes)
    {
        _columns = columns;
        _labels = new LabelReader(cursor, columns.Label, classes);
        _getBoxes = cursor.GetGetter<VBuffer<float>>(columns.Boxes);
        _difficult = ReaderOf<bool>(cursor, columns.Difficult);
        _crowd = ReaderOf<bool>(cursor, columns.Crowd);
        _ignore = ReaderOf<bool>(cursor, columns.Ignore);
        _truncated = ReaderOf<float>(cursor, columns.Truncated);
        _area = ReaderOf<float>(cursor, columns.Area);
        _occluded = ReaderOf<int>(cursor, columns.Occluded);
    }

    /// <summary>The row's objects.</summary>
    /// <exception cref="ArgumentException">A column has another number of values than there are labels.</exception>
    public TrueBox[] Read(long row)
    {
        _getBoxes(ref _boxes);
        float[] boxes = [.. _boxes.DenseValues()];
        int count = _labels.Count();
        CheckCount(row, boxes.Length, 4 * count, _columns.Boxes.Name, _columns.Label.Name);
        bool[]? ignore = _ignore(row, count), difficult = _difficult(row, count), crowd = _crowd(row, count);
        float[]? truncated = _truncated(row, count), area = _area(row, count);
        int[]? occluded = _occluded(row, count);
        int[] labels = _labels.Read(ignore);
        var objects = new TrueBox[count];
        for (int i = 0; i < count; i++)
        {
            var box = new Box(boxes[4 * i], boxes[4 * i + 1], boxes[4 * i + 2], boxes[4 * i + 3]);
            objects[i] = new TrueBox(box, labels[i])
            {
                Area = area?[i] ?? box.Area,
                Crowd = crowd?[i] ?? false,
                Difficult = difficult?[i] ?? false,
                DontCare = ignore?[i] ?? false,
                Truncation = truncated?[i] ?? 0,
                Occlusion = occluded?[i] ?? 0,
            };
        }

        return objects;
    }

    /// <summary>Checks that a column has as many values as the labels ask for.</summary>
    /// <exception cref="ArgumentException">It has not; the message names row and column.</exception>
    public static void CheckCount(long row, int count, int wanted, string column, string labelColumn)
    {
        if (count != wanted)
        {
            throw new ArgumentException(
                $"Row {row}: the column '{column}' has {count} values where the labels of '{labelColumn}' ask for {wanted}.");
        }
    }

    private Func<long, int, T[]?> ReaderOf<T>(DataViewRowCursor cursor, DataViewSchema.Column? found)
    {
        if (found is not { } column) return (_, _) => null;
        ValueGetter<VBuffer<T>> getter = cursor.GetGetter<VBuffer<T>>(column);
        VBuffer<T> buffer = default;
        return (row, count) =>
        {
            getter(ref buffer);
            T[] values = [.. buffer.DenseValues()];
            CheckCount(row, values.Length, count, column.Name, _columns.Label.Name);
            return values;
        };
    }
}

/// <summary>
/// The columns that annotated objects are read from. Those beside label and boxes are what <c>LoadDetections</c> gives; each is
/// read where the data have it as a vector of its type, and a column of that name with another type is somebody else's.
/// </summary>
internal sealed record TruthColumns(DataViewSchema.Column Label, DataViewSchema.Column Boxes)
{
    /// <summary>VOC's difficult objects: Boolean.</summary>
    public DataViewSchema.Column? Difficult { get; init; }

    /// <summary>Groups of objects: Boolean.</summary>
    public DataViewSchema.Column? Crowd { get; init; }

    /// <summary>Regions in which nothing is right or wrong: Boolean.</summary>
    public DataViewSchema.Column? Ignore { get; init; }

    /// <summary>The share beyond the image's edge: Single.</summary>
    public DataViewSchema.Column? Truncated { get; init; }

    /// <summary>KITTI's occlusion: Int32.</summary>
    public DataViewSchema.Column? Occluded { get; init; }

    /// <summary>The objects' own areas in square pixels: Single.</summary>
    public DataViewSchema.Column? Area { get; init; }

    /// <summary>All columns to be read.</summary>
    public IEnumerable<DataViewSchema.Column> All
        => [Label, Boxes, .. new[] { Difficult, Crowd, Ignore, Truncated, Occluded, Area }.OfType<DataViewSchema.Column>()];

    /// <summary>Finds the columns.</summary>
    /// <exception cref="ArgumentException">The labels or the boxes are missing or of another type.</exception>
    public static TruthColumns Find(DataViewSchema schema, string label, string boxes)
        => new(LabelReader.Column(schema, label), FloatColumn(schema, boxes))
        {
            Difficult = VectorOf<bool>(schema, nameof(DetectionRow.Difficult)),
            Crowd = VectorOf<bool>(schema, nameof(DetectionRow.Crowd)),
            Ignore = VectorOf<bool>(schema, nameof(DetectionRow.Ignore)),
            Truncated = VectorOf<float>(schema, nameof(DetectionRow.Truncated)),
            Occluded = VectorOf<int>(schema, nameof(DetectionRow.Occluded)),
            Area = VectorOf<float>(schema, nameof(DetectionRow.Area)),
        };

    /// <summary>A column of vectors of Single.</summary>
    /// <exception cref="ArgumentException">It is missing or of another type.</exception>
    public static DataViewSchema.Column FloatColumn(DataViewSchema schema, string name)
        => schema.GetColumnOrNull(name) is not { } column
            ? throw new ArgumentException($"The data have no column '{name}'.")
            : VectorOf<float>(schema, name) ?? throw new ArgumentException($"The column '{name}' is a {column.Type}; a vector of Single is wanted.");

    private static DataViewSchema.Column? VectorOf<T>(DataViewSchema schema, string name)
        => schema.GetColumnOrNull(name) is { Type: VectorDataViewType { ItemType: not KeyDataViewType and { RawType: var raw } } } column && raw == typeof(T)
            ? column
            : null;
}
