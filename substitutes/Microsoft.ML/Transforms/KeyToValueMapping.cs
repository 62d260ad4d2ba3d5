// Keys replaced by their values.
using System.Numerics;
using Microsoft.ML.Data;

namespace Microsoft.ML.Transforms;

public sealed class KeyToValueMappingEstimator : TrivialEstimator<KeyToValueMappingTransformer>
{
    private readonly ColumnPair[] _pairs;

    internal KeyToValueMappingEstimator(params ColumnPair[] pairs) : base(new KeyToValueMappingTransformer(pairs)) => _pairs = pairs;

    public override SchemaShape GetOutputSchema(SchemaShape inputSchema)
    {
        ArgumentNullException.ThrowIfNull(inputSchema);
        return inputSchema.With(_pairs.Select(pair =>
        {
            SchemaShape.Column column = inputSchema.Input(pair.Input);
            if (!column.IsKey || column.Annotations.Find(AnnotationKinds.KeyValues) is not { } values) throw SchemaErrors.Mismatch(pair.Input, "key type with KeyValues", column.TypeText());
            return column.WithItems(pair.Output, values.ItemType, annotations: column.Annotations.Where(a => a.Name == AnnotationKinds.SlotNames));
        }));
    }
}

public sealed class KeyToValueMappingTransformer : OneToOneTransformerBase
{
    internal KeyToValueMappingTransformer(params ColumnPair[] pairs) : base(pairs)
    {
    }

    internal static KeyToValueMappingTransformer Load(ModelReader reader) => new(reader.Get<ColumnPair[]>("columns"));

    private protected override MappedColumn MapColumn(DataViewSchema.Column input, int index)
    {
        DataViewType values = input.Annotations.Schema.GetColumnOrNull(AnnotationKinds.KeyValues)?.Type;
        if (input.Type.ItemOf() is not KeyDataViewType key || values is not VectorDataViewType { ItemType: var item })
            throw new InvalidOperationException("Metadata KeyValues does not exist");
        return GenericCall.Of<MappedColumn>(typeof(KeyToValueMappingTransformer), nameof(Map), [key.RawType, item.RawType], input, item);
    }

    private protected override void SaveModel(ModelWriter writer)
    {
        writer.SetKind(ModelKinds.KeyToValue);
        writer.Set("columns", Columns);
    }

    private static MappedColumn Map<TKey, TValue>(DataViewSchema.Column input, PrimitiveDataViewType item) where TKey : IBinaryInteger<TKey>
    {
        VBuffer<TValue> annotation = default;
        input.GetKeyValues(ref annotation);
        TValue[] values = annotation.ToDenseArray();
        TValue missing = Items.Missing<TValue>();
        return ItemMapping.Column<TKey, TValue>(input, input.Type.WithItems(item), AnnotationKinds.Slots(input), key =>
        {
            ulong index = ulong.CreateTruncating(key);
            return index == 0 || index > (ulong)values.Length ? missing : values[index - 1];
        });
    }
}
