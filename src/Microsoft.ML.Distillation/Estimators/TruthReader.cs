using Microsoft.ML.Data;
using Microsoft.ML.Distillation.Evaluation;

namespace Microsoft.ML.Distillation.Estimators;

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
