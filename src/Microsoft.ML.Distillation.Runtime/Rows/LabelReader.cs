using Microsoft.ML.Data;
using Microsoft.ML.Distillation.Evaluation;

namespace Microsoft.ML.Distillation.Rows;

/// <summary>The classes by name, numbered in the order in which they are first seen.</summary>
internal sealed class ClassIndex
{
    private readonly Dictionary<string, int> _indices = new(StringComparer.Ordinal);
    private readonly List<string> _names = [];

    /// <summary>The classes so far.</summary>
    public IReadOnlyList<string> Names => _names;

    /// <summary>The number of a class.</summary>
    public int Of(string name)
    {
        if (_indices.TryGetValue(name, out int index)) return index;
        _names.Add(name);
        return _indices[name] = _names.Count - 1;
    }
}

/// <summary>Reads a column of class labels, keys with names or text, as numbers of a <see cref="ClassIndex"/>.</summary>
internal sealed class LabelReader
{
    // The name of a label that a key column has lost: a class that its mapping did not know.
    private const string UnknownClass = "(unknown)";

    private readonly ValueGetter<VBuffer<uint>>? _getKeys;
    private readonly ValueGetter<VBuffer<ReadOnlyMemory<char>>>? _getText;
    private readonly ClassIndex _classes;
    private readonly int[] _classOfKey = [];
    private VBuffer<uint> _keys;
    private VBuffer<ReadOnlyMemory<char>> _text;

    public LabelReader(DataViewRowCursor cursor, DataViewSchema.Column column, ClassIndex classes)
    {
        _classes = classes;
        if (ItemType(column) is KeyDataViewType key)
        {
            _getKeys = cursor.GetGetter<VBuffer<uint>>(column);
            _classOfKey = [.. KeyNames(column, key).Select(classes.Of)];
        }
        else
        {
            _getText = cursor.GetGetter<VBuffer<ReadOnlyMemory<char>>>(column);
        }
    }

    /// <summary>Finds a label column and checks its type.</summary>
    /// <exception cref="ArgumentException">The column is missing or of another type.</exception>
    public static DataViewSchema.Column Column(DataViewSchema schema, string name)
    {
        DataViewSchema.Column column = schema.GetColumnOrNull(name)
            ?? throw new ArgumentException($"The data have no column '{name}'.");
        return ItemType(column) is TextDataViewType || (ItemType(column) is KeyDataViewType key && key.RawType == typeof(uint))
            ? column
            : throw new ArgumentException($"The column '{name}' is a {column.Type}; a vector of keys (UInt32) or of text is wanted.");
    }

    /// <summary>The number of labels in the cursor's row.</summary>
    public int Count()
    {
        if (_getKeys is not null)
        {
            _getKeys(ref _keys);
            return _keys.Length;
        }

        _getText!(ref _text);
        return _text.Length;
    }

    /// <summary>The classes of the cursor's row.</summary>
    /// <param name="mayLackClass">
    /// Marks regions: where the label of one is empty, or lost by a key column, it concerns every class and names none.
    /// </param>
    public int[] Read(bool[]? mayLackClass = null)
    {
        if (_getKeys is not null)
        {
            _getKeys(ref _keys);
            return [.. _keys.DenseValues().Select((key, i) => key > 0 && key <= _classOfKey.Length
                ? _classOfKey[key - 1]
                : mayLackClass?[i] == true ? TrueBox.EveryClass : _classes.Of(UnknownClass))];
        }

        _getText!(ref _text);
        return [.. _text.DenseValues().Select((name, i) => name.IsEmpty && mayLackClass?[i] == true ? TrueBox.EveryClass : _classes.Of(name.ToString()))];
    }

    private static DataViewType? ItemType(DataViewSchema.Column column) => (column.Type as VectorDataViewType)?.ItemType;

    private static IEnumerable<string> KeyNames(DataViewSchema.Column column, KeyDataViewType key)
    {
        if (column.Annotations.Schema.GetColumnOrNull("KeyValues")?.Type is VectorDataViewType { ItemType: TextDataViewType })
        {
            VBuffer<ReadOnlyMemory<char>> names = default;
            column.GetKeyValues(ref names);
            return [.. names.DenseValues().Select(name => name.ToString())];
        }

        // Keys without names are known by their number.
        return Enumerable.Range(1, checked((int)key.Count)).Select(number => $"{number}");
    }
}
