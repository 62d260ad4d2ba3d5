// Types, values and schemas as JSON.
using System.Text.Json;
using System.Text.Json.Nodes;
using Microsoft.ML.Data;

namespace Microsoft.ML.Data;

internal static class StoredItems
{
    public static JsonNode ToJson<T>(T[] items)
    {
        if (typeof(T) == typeof(DataViewRowId)) throw new NotSupportedException("Row identities are not saved.");
        return items is ReadOnlyMemory<char>[] texts
            ? JsonSerializer.SerializeToNode(Array.ConvertAll(texts, text => text.ToString()))
            : JsonSerializer.SerializeToNode(items, ModelWriter.Json);
    }

    public static T[] FromJson<T>(JsonNode node)
        => typeof(T) == typeof(ReadOnlyMemory<char>)
            ? (T[])(object)Array.ConvertAll(node.Deserialize<string[]>(), text => text.AsMemory())
            : node.Deserialize<T[]>(ModelWriter.Json);
}

/// <summary>A type of columns.</summary>
/// <param name="Item">The name of what it holds.</param>
/// <param name="KeyCount">For keys, how many there are; else 0.</param>
/// <param name="Dimensions">For vectors; else null.</param>
internal sealed record StoredType(string Item, ulong KeyCount, int[] Dimensions)
{
    private static readonly PrimitiveDataViewType[] Known = [.. Enum.GetValues<DataKind>().Select(PrimitiveTypes.Of)];

    /// <summary>Null for a type that cannot be saved, such as images.</summary>
    public static StoredType Of(DataViewType type) => type switch
    {
        VectorDataViewType vector => Of(vector.ItemType) is { } item ? item with { Dimensions = [.. vector.Dimensions] } : null,
        KeyDataViewType key => new StoredType(key.RawType.Name, key.Count, null),
        PrimitiveDataViewType primitive when Known.Contains(primitive) => new StoredType($"{primitive}", 0, null),
        _ => null,
    };

    public DataViewType ToType()
    {
        PrimitiveDataViewType item = Known.FirstOrDefault(type => $"{type}" == Item) ?? throw new FormatException($"The model names a type that is not known here: '{Item}'.");
        if (KeyCount > 0) item = new KeyDataViewType(item.RawType, KeyCount);
        return Dimensions is null ? item : new VectorDataViewType(item, Dimensions);
    }
}

/// <summary>The columns of a model's input; those whose types cannot be saved are left out.</summary>
internal static class StoredSchema
{
    private sealed record StoredColumn(string Name, StoredType Type, StoredAnnotation[] Annotations);

    private sealed record StoredAnnotation(string Kind, StoredType Type, JsonNode Items);

    public static void Write(Stream stream, DataViewSchema schema)
    {
        StoredColumn[] columns = [.. schema.Where(column => StoredType.Of(column.Type) is not null)
            .Select(column => new StoredColumn(column.Name, StoredType.Of(column.Type), [.. AnnotationsOf(column)]))];
        JsonSerializer.Serialize(stream, columns, ModelWriter.Json);
    }

    public static DataViewSchema Read(Stream stream)
    {
        var builder = new DataViewSchema.Builder();
        foreach (StoredColumn column in JsonSerializer.Deserialize<StoredColumn[]>(stream, ModelWriter.Json))
        {
            var annotations = new DataViewSchema.Annotations.Builder();
            foreach (StoredAnnotation annotation in column.Annotations)
            {
                var type = (VectorDataViewType)annotation.Type.ToType();
                GenericCall.Of<object>(typeof(StoredSchema), nameof(AddAnnotation), [type.ItemType.RawType], annotations, annotation.Kind, type, annotation.Items);
            }

            builder.AddColumn(column.Name, column.Type.ToType(), annotations.ToAnnotations());
        }

        return builder.ToSchema();
    }

    /// <summary>The vectors among a column's annotations: the values of keys, the names of slots.</summary>
    private static IEnumerable<StoredAnnotation> AnnotationsOf(DataViewSchema.Column column)
        => column.Annotations.Schema.Where(annotation => annotation.Type is VectorDataViewType && StoredType.Of(annotation.Type) is not null)
            .Select(annotation => new StoredAnnotation(annotation.Name, StoredType.Of(annotation.Type),
                GenericCall.Of<JsonNode>(typeof(StoredSchema), nameof(ItemsOf), [((VectorDataViewType)annotation.Type).ItemType.RawType], column, annotation)));

    private static JsonNode ItemsOf<T>(DataViewSchema.Column column, DataViewSchema.Column annotation)
    {
        VBuffer<T> value = default;
        column.Annotations.GetGetter<VBuffer<T>>(annotation)(ref value);
        return StoredItems.ToJson(value.ToDenseArray());
    }

    private static object AddAnnotation<T>(DataViewSchema.Annotations.Builder builder, string kind, VectorDataViewType type, JsonNode items)
    {
        T[] values = StoredItems.FromJson<T>(items);
        var all = new VBuffer<T>(values.Length, values);
        builder.Add(kind, type, (ref VBuffer<T> destination) => all.CopyTo(ref destination));
        return null;
    }
}
