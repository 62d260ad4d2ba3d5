// Maps each cell of a column, or each item of its vectors, by a function.
namespace Microsoft.ML.Data;

internal static class ItemMapping
{
    /// <summary>A column of the same shape whose items are mapped.</summary>
    public static MappedColumn Column<TIn, TOut>(
        DataViewSchema.Column input, DataViewType type, DataViewSchema.Annotations annotations, Func<TIn, TOut> map)
        => new(type, annotations, (row, column, _) => input.Type is VectorDataViewType
            ? Vector(row.GetGetter<VBuffer<TIn>>(column), map)
            : Scalar(row.GetGetter<TIn>(column), map));

    private static ValueGetter<TOut> Scalar<TIn, TOut>(ValueGetter<TIn> get, Func<TIn, TOut> map)
    {
        TIn item = default;
        return (ref TOut value) =>
        {
            get(ref item);
            value = map(item);
        };
    }

    private static ValueGetter<VBuffer<TOut>> Vector<TIn, TOut>(ValueGetter<VBuffer<TIn>> get, Func<TIn, TOut> map)
    {
        VBuffer<TIn> items = default;
        return (ref VBuffer<TOut> value) =>
        {
            get(ref items);
            var editor = VBufferEditor.Create(ref value, items.Length);
            ReadOnlySpan<TIn> source = items.IsDense ? items.GetValues() : items.ToDenseArray();
            for (int i = 0; i < source.Length; i++) editor.Values[i] = map(source[i]);
            value = editor.Commit();
        };
    }
}

/// <summary>Items compared, and those that stand for no value.</summary>
internal static class Items
{
    /// <summary>Compares items; text by its characters.</summary>
    public static IEqualityComparer<T> Comparer<T>() => typeof(T) == typeof(ReadOnlyMemory<char>) ? (IEqualityComparer<T>)(object)TextComparer.Instance : EqualityComparer<T>.Default;

    /// <summary>Orders items; text by its characters' codes.</summary>
    public static IComparer<T> Order<T>() => typeof(T) == typeof(ReadOnlyMemory<char>) ? (IComparer<T>)(object)TextComparer.Instance : System.Collections.Generic.Comparer<T>.Default;

    /// <summary>Whether an item stands for no value: empty text, or what is not a number.</summary>
    public static bool IsMissing<T>(T item) => item switch
    {
        ReadOnlyMemory<char> text => text.IsEmpty,
        float number => float.IsNaN(number),
        double number => double.IsNaN(number),
        _ => false,
    };

    /// <summary>The item that stands for no value, or the default of types without one.</summary>
    public static T Missing<T>()
        => typeof(T) == typeof(float) ? (T)(object)float.NaN : typeof(T) == typeof(double) ? (T)(object)double.NaN : default;

    private sealed class TextComparer : IEqualityComparer<ReadOnlyMemory<char>>, IComparer<ReadOnlyMemory<char>>
    {
        public static TextComparer Instance { get; } = new();

        public bool Equals(ReadOnlyMemory<char> x, ReadOnlyMemory<char> y) => x.Span.SequenceEqual(y.Span);

        public int GetHashCode(ReadOnlyMemory<char> obj) => string.GetHashCode(obj.Span);

        public int Compare(ReadOnlyMemory<char> x, ReadOnlyMemory<char> y) => x.Span.CompareTo(y.Span, StringComparison.Ordinal);
    }
}
