// From objects to columns: getters that read the members of the current row object.
using System.Numerics;

namespace Microsoft.ML.Data;

internal static class RowReading
{
    /// <summary>A getter of a member's column.</summary>
    /// <param name="current">Gives the row object.</param>
    public static Delegate Getter<TRow>(RowMember member, Func<TRow> current)
    {
        Type type = member.MemberType;
        if (member.ColumnType is KeyDataViewType) return GenericCall.Of<Delegate>(typeof(RowReading), nameof(Key), [typeof(TRow), type], member, current);
        if (type == typeof(string)) return Text(member, current);
        if (type == typeof(string[])) return Texts(member, current);
        if (type.IsArray) return GenericCall.Of<Delegate>(typeof(RowReading), nameof(Array), [typeof(TRow), type.GetElementType()], member, current);
        return type.IsGenericType && type.GetGenericTypeDefinition() == typeof(VBuffer<>)
            ? GenericCall.Of<Delegate>(typeof(RowReading), nameof(Vector), [typeof(TRow), type.GetGenericArguments()[0]], member, current)
            : GenericCall.Of<Delegate>(typeof(RowReading), nameof(Value), [typeof(TRow), type], member, current);
    }

    private static ValueGetter<T> Value<TRow, T>(RowMember member, Func<TRow> current)
    {
        Func<TRow, T> read = member.Reader<TRow, T>();
        return (ref T value) => value = read(current());
    }

    /// <summary>A member that is a key counts from 0, where a key counts from 1 and 0 is none; vectors of keys are not converted.</summary>
    private static ValueGetter<T> Key<TRow, T>(RowMember member, Func<TRow> current) where T : IBinaryInteger<T>
    {
        Func<TRow, T> read = member.Reader<TRow, T>();
        ulong count = ((KeyDataViewType)member.ColumnType).Count;
        return (ref T value) =>
        {
            T number = read(current());
            value = ulong.CreateTruncating(number) < count ? number + T.One : T.Zero;
        };
    }

    private static ValueGetter<ReadOnlyMemory<char>> Text<TRow>(RowMember member, Func<TRow> current)
    {
        Func<TRow, string> read = member.Reader<TRow, string>();
        return (ref ReadOnlyMemory<char> value) => value = read(current()).AsMemory();
    }

    private static ValueGetter<VBuffer<ReadOnlyMemory<char>>> Texts<TRow>(RowMember member, Func<TRow> current)
    {
        Func<TRow, string[]> read = member.Reader<TRow, string[]>();
        return (ref VBuffer<ReadOnlyMemory<char>> value) =>
        {
            string[] texts = read(current()) ?? [];
            var editor = VBufferEditor.Create(ref value, texts.Length);
            for (int i = 0; i < texts.Length; i++) editor.Values[i] = texts[i].AsMemory();
            value = editor.Commit();
        };
    }

    private static ValueGetter<VBuffer<T>> Array<TRow, T>(RowMember member, Func<TRow> current)
    {
        Func<TRow, T[]> read = member.Reader<TRow, T[]>();
        return (ref VBuffer<T> value) =>
        {
            T[] items = read(current()) ?? [];
            VBuffer<T>.Copy(items, 0, ref value, items.Length);
        };
    }

    private static ValueGetter<VBuffer<T>> Vector<TRow, T>(RowMember member, Func<TRow> current)
    {
        Func<TRow, VBuffer<T>> read = member.Reader<TRow, VBuffer<T>>();
        return (ref VBuffer<T> value) => read(current()).CopyTo(ref value);
    }
}
