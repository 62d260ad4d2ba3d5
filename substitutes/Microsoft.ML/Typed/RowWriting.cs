// From columns to objects: fills the members of a row object from the row on which a cursor stands.
namespace Microsoft.ML.Data;

internal static class RowWriting
{
    /// <summary>The members whose columns a schema has.</summary>
    /// <exception cref="ArgumentOutOfRangeException">A column is missing, and may not be.</exception>
    /// <exception cref="InvalidOperationException">A column cannot be read into its member.</exception>
    public static (RowMember Member, DataViewSchema.Column Column)[] Bind(DataViewSchema schema, RowMember[] members, bool ignoreMissing)
    {
        var bound = new List<(RowMember, DataViewSchema.Column)>();
        foreach (RowMember member in members)
        {
            if (schema.GetColumnOrNull(member.ColumnName) is not { } column)
            {
                if (ignoreMissing) continue;
                throw new ArgumentOutOfRangeException("Schema", $"Could not find  column '{member.ColumnName}'");
            }

            if (column.Type.RawType != RowMember.RawTypeOf(member.MemberType))
            {
                throw new InvalidOperationException(
                    $"Can't bind the IDataView column '{column.Name}' of type '{column.Type}' to field or property '{member.MemberName}' of type '{member.MemberType}'.");
            }

            bound.Add((member, column));
        }

        return [.. bound];
    }

    /// <summary>Fills row objects.</summary>
    public static Action<TRow> Filler<TRow>(DataViewRow row, (RowMember Member, DataViewSchema.Column Column)[] bound)
    {
        Action<TRow>[] setters = [.. bound.Select(pair => Setter<TRow>(row, pair.Member, pair.Column))];
        return target =>
        {
            foreach (Action<TRow> set in setters) set(target);
        };
    }

    private static Action<TRow> Setter<TRow>(DataViewRow row, RowMember member, DataViewSchema.Column column)
    {
        Type type = member.MemberType;
        if (type == typeof(string)) return Text<TRow>(row, member, column);
        if (type == typeof(string[])) return Array<TRow, ReadOnlyMemory<char>, string>(row, member, column, text => text.ToString());
        if (type.IsArray) return GenericCall.Of<Action<TRow>>(typeof(RowWriting), nameof(SameArray), [typeof(TRow), type.GetElementType()], row, member, column);
        return type.IsGenericType && type.GetGenericTypeDefinition() == typeof(VBuffer<>)
            ? GenericCall.Of<Action<TRow>>(typeof(RowWriting), nameof(Vector), [typeof(TRow), type], row, member, column)
            : GenericCall.Of<Action<TRow>>(typeof(RowWriting), nameof(Value), [typeof(TRow), type], row, member, column);
    }

    private static Action<TRow> Value<TRow, T>(DataViewRow row, RowMember member, DataViewSchema.Column column)
    {
        ValueGetter<T> get = row.GetGetter<T>(column);
        Action<TRow, T> write = member.Writer<TRow, T>();
        // The value stays from row to row, so that the image of the row before is disposed.
        T value = default;
        return target =>
        {
            get(ref value);
            write(target, value);
        };
    }

    private static Action<TRow> Text<TRow>(DataViewRow row, RowMember member, DataViewSchema.Column column)
    {
        ValueGetter<ReadOnlyMemory<char>> get = row.GetGetter<ReadOnlyMemory<char>>(column);
        Action<TRow, string> write = member.Writer<TRow, string>();
        ReadOnlyMemory<char> value = default;
        return target =>
        {
            get(ref value);
            write(target, value.ToString());
        };
    }

    private static Action<TRow> Vector<TRow, T>(DataViewRow row, RowMember member, DataViewSchema.Column column)
    {
        ValueGetter<T> get = row.GetGetter<T>(column);
        Action<TRow, T> write = member.Writer<TRow, T>();
        Func<TRow, T> read = member.Reader<TRow, T>();
        return target =>
        {
            // Into the arrays that this row object has already.
            T value = read is null ? default : read(target);
            get(ref value);
            write(target, value);
        };
    }

    private static Action<TRow> SameArray<TRow, T>(DataViewRow row, RowMember member, DataViewSchema.Column column)
        => Array<TRow, T, T>(row, member, column, item => item);

    private static Action<TRow> Array<TRow, TItem, TElement>(DataViewRow row, RowMember member, DataViewSchema.Column column, Func<TItem, TElement> convert)
    {
        ValueGetter<VBuffer<TItem>> get = row.GetGetter<VBuffer<TItem>>(column);
        Action<TRow, TElement[]> write = member.Writer<TRow, TElement[]>();
        Func<TRow, TElement[]> read = member.Reader<TRow, TElement[]>();
        VBuffer<TItem> value = default;
        return target =>
        {
            get(ref value);
            TElement[] array = read?.Invoke(target);
            if ((array?.Length ?? 0) != value.Length) array = new TElement[value.Length];
            int i = 0;
            foreach (TItem item in value.DenseValues()) array[i++] = convert(item);
            write(target, array);
        };
    }
}
