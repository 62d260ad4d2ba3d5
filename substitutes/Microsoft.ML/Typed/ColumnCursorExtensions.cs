// The values of one column.
namespace Microsoft.ML.Data;

public static class ColumnCursorExtensions
{
    public static IEnumerable<T> GetColumn<T>(this IDataView data, string columnName)
    {
        ArgumentNullException.ThrowIfNull(data);
        return data.GetColumn<T>(data.Schema[columnName]);
    }

    public static IEnumerable<T> GetColumn<T>(this IDataView data, DataViewSchema.Column column)
    {
        ArgumentNullException.ThrowIfNull(data);
        if (column.Type.RawType != RowMember.RawTypeOf(typeof(T)))
        {
            throw new ArgumentOutOfRangeException(nameof(column),
                $"Cannot map column (name: {column.Name}, type: {column.Type}) in data to the user-defined type, {typeof(T)}.");
        }

        return Values();

        IEnumerable<T> Values()
        {
            var definition = SchemaDefinition.Create(typeof(Holder<T>));
            (definition[0].ColumnName, definition[0].ColumnType) = (column.Name, column.Type);
            (RowMember, DataViewSchema.Column)[] bound = [(RowMember.Of(typeof(Holder<T>), definition)[0], column)];
            using DataViewRowCursor cursor = data.GetRowCursor([column]);
            // A row object may leave an empty vector null; here it is an empty array.
            T empty = typeof(T).IsArray ? (T)(object)Array.CreateInstance(typeof(T).GetElementType(), 0) : default;
            Action<Holder<T>> fill = RowWriting.Filler<Holder<T>>(cursor, bound);
            while (cursor.MoveNext())
            {
                var holder = new Holder<T>();
                fill(holder);
                yield return holder.Value ?? empty;
            }
        }
    }

    private sealed class Holder<T>
    {
        public T Value { get; set; }
    }
}
