// The values that keys stand for, in the order of the keys.
using Microsoft.ML.Data;

namespace Microsoft.ML.Transforms;

internal abstract class KeyMap
{
    public static KeyMap Load(ModelReader reader, int index)
    {
        var item = (PrimitiveDataViewType)reader.Get<StoredType>($"type{index}").ToType();
        return GenericCall.Of<KeyMap>(typeof(KeyMap), nameof(LoadItems), [item.RawType], reader, item, index);
    }

    public abstract MappedColumn MapColumn(DataViewSchema.Column input);

    public abstract void Save(ModelWriter writer, int index);

    private static KeyMap<T> LoadItems<T>(ModelReader reader, PrimitiveDataViewType item, int index)
        => new(item, reader.GetItems<T>($"values{index}"), reader.Get<bool>($"asText{index}"));
}

internal sealed class KeyMap<T> : KeyMap
{
    private readonly PrimitiveDataViewType _item;
    private readonly T[] _values;
    private readonly bool _asText;
    private readonly Dictionary<T, uint> _keys = new(Items.Comparer<T>());

    public KeyMap(PrimitiveDataViewType item, T[] values, bool asText)
    {
        (_item, _values, _asText) = (item, values, asText);
        for (int i = 0; i < values.Length; i++) _keys.TryAdd(values[i], (uint)i + 1);
    }

    public override MappedColumn MapColumn(DataViewSchema.Column input)
    {
        if (!input.Type.ItemOf().Equals(_item)) throw SchemaErrors.Mismatch(input.Name, $"{_item}", $"{input.Type}");
        // Keys of nothing are missing, all of them; a type of keys counts one at least.
        DataViewType type = input.Type.WithItems(new KeyDataViewType(typeof(uint), Math.Max(_values.Length, 1)));
        DataViewSchema.Annotations annotations = _asText && typeof(T) != typeof(ReadOnlyMemory<char>)
            ? AnnotationKinds.WithKeyValues(input, TextDataViewType.Instance, [.. _values.Select(value => FormattableString.Invariant($"{value}").AsMemory())])
            : AnnotationKinds.WithKeyValues(input, _item, _values);
        return ItemMapping.Column<T, uint>(input, type, annotations, item => _keys.GetValueOrDefault(item));
    }

    public override void Save(ModelWriter writer, int index)
    {
        writer.Set($"type{index}", StoredType.Of(_item));
        writer.SetItems($"values{index}", _values);
        writer.Set($"asText{index}", _asText);
    }
}
