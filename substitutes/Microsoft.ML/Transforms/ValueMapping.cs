// Values replaced by others, by a table.
using Microsoft.ML.Data;

namespace Microsoft.ML.Transforms;

public class ValueMappingEstimator : TrivialEstimator<ValueMappingTransformer>
{
    private readonly ColumnPair _pair;

    internal ValueMappingEstimator(ColumnPair pair, ValueTable table) : base(new ValueMappingTransformer(pair, table)) => _pair = pair;

    public sealed override SchemaShape GetOutputSchema(SchemaShape inputSchema)
    {
        ArgumentNullException.ThrowIfNull(inputSchema);
        return inputSchema.With(inputSchema.Input(_pair.Input).WithItems(_pair.Output, Transformer.Table.Values));
    }
}

public sealed class ValueMappingEstimator<TKey, TValue> : ValueMappingEstimator
{
    internal ValueMappingEstimator(ColumnPair pair, ValueTable table) : base(pair, table)
    {
    }
}

public class ValueMappingTransformer : OneToOneTransformerBase
{
    internal ValueMappingTransformer(ColumnPair pair, ValueTable table) : base(pair) => Table = table;

    internal ValueTable Table { get; }

    internal static ValueMappingTransformer Load(ModelReader reader) => new(reader.Get<ColumnPair>("column"), ValueTable.Load(reader));

    private protected override MappedColumn MapColumn(DataViewSchema.Column input, int index) => Table.MapColumn(input);

    private protected override void SaveModel(ModelWriter writer)
    {
        writer.SetKind(ModelKinds.ValueMapping);
        writer.Set("column", Columns[0]);
        Table.Save(writer);
    }
}

/// <summary>Which value becomes which.</summary>
internal abstract class ValueTable(PrimitiveDataViewType keys, PrimitiveDataViewType values)
{
    public PrimitiveDataViewType Values => values;

    protected PrimitiveDataViewType Keys => keys;

    /// <summary>A table of what a caller gave; strings are text.</summary>
    public static ValueTable Of<TKey, TValue>(IEnumerable<KeyValuePair<TKey, TValue>> pairs)
    {
        KeyValuePair<TKey, TValue>[] all = [.. pairs];
        return GenericCall.Of<ValueTable>(
            typeof(ValueTable), nameof(Create), [RowMember.RawTypeOf(typeof(TKey)), RowMember.RawTypeOf(typeof(TValue))],
            ItemsOf([.. all.Select(pair => pair.Key)]), ItemsOf([.. all.Select(pair => pair.Value)]));
    }

    public static ValueTable Load(ModelReader reader) => GenericCall.Of<ValueTable>(
        typeof(ValueTable), nameof(LoadItems),
        [reader.Get<StoredType>("keyType").ToType().RawType, reader.Get<StoredType>("valueType").ToType().RawType], reader);

    public abstract MappedColumn MapColumn(DataViewSchema.Column input);

    public abstract void Save(ModelWriter writer);

    private static Array ItemsOf<T>(T[] values) => values is string[] texts ? Array.ConvertAll(texts, text => text.AsMemory()) : values;

    private static ValueTable<TKey, TValue> Create<TKey, TValue>(TKey[] keys, TValue[] values) => new(ItemType<TKey>(), ItemType<TValue>(), keys, values);

    private static ValueTable<TKey, TValue> LoadItems<TKey, TValue>(ModelReader reader) => Create(reader.GetItems<TKey>("keys"), reader.GetItems<TValue>("values"));

    private static PrimitiveDataViewType ItemType<T>()
        => PrimitiveTypes.Of(typeof(T)) ?? throw new ArgumentOutOfRangeException("keyValuePairs", $"{typeof(T)} is no type of a column.");
}

internal sealed class ValueTable<TKey, TValue> : ValueTable
{
    private readonly TKey[] _keys;
    private readonly TValue[] _values;
    private readonly Dictionary<TKey, TValue> _table = new(Items.Comparer<TKey>());

    public ValueTable(PrimitiveDataViewType keyType, PrimitiveDataViewType valueType, TKey[] keys, TValue[] values) : base(keyType, valueType)
    {
        (_keys, _values) = (keys, values);
        for (int i = 0; i < keys.Length; i++)
        {
            if (!_table.TryAdd(keys[i], values[i])) throw new InvalidOperationException($"Duplicate keys in data '{keys[i]}'");
        }
    }

    public override MappedColumn MapColumn(DataViewSchema.Column input)
    {
        if (!input.Type.ItemOf().Equals(Keys)) throw new NotSupportedException($"The column '{input.Name}' is a {input.Type}, the table maps {Keys}; that is not converted here.");
        DataViewType type = input.Type is VectorDataViewType ? new VectorDataViewType(Values) : Values;
        return ItemMapping.Column<TKey, TValue>(input, type, DataViewSchema.Annotations.Empty, key => _table.GetValueOrDefault(key));
    }

    public override void Save(ModelWriter writer)
    {
        writer.Set("keyType", StoredType.Of(Keys));
        writer.Set("valueType", StoredType.Of(Values));
        writer.SetItems("keys", _keys);
        writer.SetItems("values", _values);
    }
}
