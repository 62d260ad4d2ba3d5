// Values replaced by keys: their numbers, from 1, in the order in which they are first seen, or by value.
using Microsoft.ML.Data;

namespace Microsoft.ML.Transforms;

public sealed class ValueToKeyMappingEstimator : IEstimator<ValueToKeyMappingTransformer>
{
    private readonly ColumnPair[] _pairs;
    private readonly int _maximumNumberOfKeys;
    private readonly KeyOrdinality _ordinality;
    private readonly bool _asText;
    private readonly IDataView _keyData;

    internal ValueToKeyMappingEstimator(ColumnPair[] pairs, int maximumNumberOfKeys, KeyOrdinality ordinality, bool asText, IDataView keyData)
    {
        ArgumentOutOfRangeException.ThrowIfNegativeOrZero(maximumNumberOfKeys);
        (_pairs, _maximumNumberOfKeys, _ordinality, _asText, _keyData) = (pairs, maximumNumberOfKeys, ordinality, asText, keyData);
    }

    public enum KeyOrdinality : byte
    {
        ByOccurrence = 0,
        ByValue = 1,
    }

    public ValueToKeyMappingTransformer Fit(IDataView input)
    {
        ArgumentNullException.ThrowIfNull(input);
        var maps = new KeyMap[_pairs.Length];
        for (int i = 0; i < maps.Length; i++)
        {
            DataViewSchema.Column column = input.Schema.Input(_pairs[i].Input);
            maps[i] = _keyData is null ? Learn(input, column) : Learn(_keyData, KeyColumn(column));
        }

        var transformer = new ValueToKeyMappingTransformer(_pairs, maps);
        _ = transformer.GetOutputSchema(input.Schema);
        return transformer;
    }

    public SchemaShape GetOutputSchema(SchemaShape inputSchema)
    {
        ArgumentNullException.ThrowIfNull(inputSchema);
        return inputSchema.With(_pairs.Select(pair =>
        {
            SchemaShape.Column column = inputSchema.Input(pair.Input);
            if (column.ItemType is not PrimitiveDataViewType) throw SchemaErrors.Mismatch(pair.Input, "vector or scalar of primitive type", column.TypeText());
            var values = new SchemaShape.Column(
                AnnotationKinds.KeyValues, SchemaShape.Column.VectorKind.Vector, _asText ? TextDataViewType.Instance : column.ItemType, isKey: false);
            return column.WithItems(pair.Output, NumberDataViewType.UInt32, isKey: true, [values, .. column.Annotations.Where(a => a.Name == AnnotationKinds.SlotNames)]);
        }));
    }

    private DataViewSchema.Column KeyColumn(DataViewSchema.Column input)
    {
        if (_keyData.Schema.Count != 1)
        {
            throw new ArgumentOutOfRangeException("keyData",
                $"If specified, this data view should contain only a single column containing the terms to map, but this had {_keyData.Schema.Count} columns.");
        }

        DataViewSchema.Column column = _keyData.Schema[0];
        return column.Type.Equals(input.Type.ItemOf())
            ? column
            : throw new ArgumentOutOfRangeException("keyData", $"Input data's column must be of type '{input.Type.ItemOf()}' but was '{column.Type}'");
    }

    private KeyMap Learn(IDataView view, DataViewSchema.Column column)
    {
        if (column.Type.ItemOf() is not (PrimitiveDataViewType and not KeyDataViewType))
            throw new NotSupportedException($"Keys of a column of type {column.Type} ('{column.Name}') are not supported here.");
        if (_asText && column.Type.ItemOf() is not (TextDataViewType or NumberDataViewType))
            throw new NotSupportedException($"Values of type {column.Type} are not written as text here.");
        return GenericCall.Of<KeyMap>(typeof(ValueToKeyMappingEstimator), nameof(LearnItems), [column.Type.ItemOf().RawType], this, view, column);
    }

    private static KeyMap<T> LearnItems<T>(ValueToKeyMappingEstimator owner, IDataView view, DataViewSchema.Column column)
    {
        var seen = new HashSet<T>(Items.Comparer<T>());
        var values = new List<T>();
        using DataViewRowCursor cursor = view.GetRowCursor([column]);
        if (column.Type is VectorDataViewType)
        {
            ValueGetter<VBuffer<T>> get = cursor.GetGetter<VBuffer<T>>(column);
            VBuffer<T> items = default;
            while (cursor.MoveNext())
            {
                get(ref items);
                foreach (T item in items.DenseValues()) Add(item);
            }
        }
        else
        {
            ValueGetter<T> get = cursor.GetGetter<T>(column);
            T item = default;
            while (cursor.MoveNext())
            {
                get(ref item);
                Add(item);
            }
        }

        if (owner._ordinality == KeyOrdinality.ByValue) values.Sort(Items.Order<T>());
        return new KeyMap<T>((PrimitiveDataViewType)column.Type.ItemOf(), [.. values], owner._asText);

        void Add(T item)
        {
            if (values.Count < owner._maximumNumberOfKeys && !Items.IsMissing(item) && seen.Add(item)) values.Add(item);
        }
    }
}

public sealed class ValueToKeyMappingTransformer : OneToOneTransformerBase
{
    private readonly KeyMap[] _maps;

    internal ValueToKeyMappingTransformer(ColumnPair[] pairs, KeyMap[] maps) : base(pairs) => _maps = maps;

    internal static ValueToKeyMappingTransformer Load(ModelReader reader)
    {
        ColumnPair[] pairs = reader.Get<ColumnPair[]>("columns");
        return new ValueToKeyMappingTransformer(pairs, [.. pairs.Select((_, i) => KeyMap.Load(reader, i))]);
    }

    private protected override MappedColumn MapColumn(DataViewSchema.Column input, int index) => _maps[index].MapColumn(input);

    private protected override void SaveModel(ModelWriter writer)
    {
        writer.SetKind(ModelKinds.ValueToKey);
        writer.Set("columns", Columns);
        for (int i = 0; i < _maps.Length; i++) _maps[i].Save(writer, i);
    }
}
