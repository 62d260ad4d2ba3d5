// Keeps the columns of a view in memory, each from the first time it is read.
namespace Microsoft.ML.Data;

internal sealed class CachedView : SourceView
{
    private readonly IDataView _source;
    private readonly DataViewSchema.Column[] _sourceColumns;
    private readonly ColumnCache[] _caches;
    private readonly Lock _gate = new();
    private long? _rowCount;

    public CachedView(IDataView source) : this(source, [.. source.Schema.Where(column => !column.IsHidden && column.Type.ItemOf() is PrimitiveDataViewType)])
    {
    }

    private CachedView(IDataView source, DataViewSchema.Column[] columns)
        : base(new DataViewSchema([.. columns.Select(column => new DataViewSchema.DetachedColumn(column))]))
    {
        (_source, _sourceColumns, _caches) = (source, columns, new ColumnCache[columns.Length]);
    }

    public override long? GetRowCount() => _rowCount ?? _source.GetRowCount();

    protected override SourceCursor CreateCursor(bool[] active) => new Cursor(this, active);

    /// <summary>Reads what is wanted and not there yet, in one pass.</summary>
    private void Fill(bool[] active)
    {
        lock (_gate)
        {
            int[] missing = [.. Enumerable.Range(0, _caches.Length).Where(i => active[i] && _caches[i] is null)];
            if (missing.Length == 0 && _rowCount is not null) return;
            using DataViewRowCursor cursor = _source.GetRowCursor(missing.Select(i => _sourceColumns[i]));
            ColumnCache[] filled = [.. missing.Select(i =>
                GenericCall.Of<ColumnCache>(typeof(ColumnCache), nameof(ColumnCache.Create), [_sourceColumns[i].Type.RawType], cursor, _sourceColumns[i]))];
            long count = 0;
            for (; cursor.MoveNext(); count++)
            {
                foreach (ColumnCache cache in filled) cache.Add();
            }

            for (int i = 0; i < missing.Length; i++) _caches[missing[i]] = filled[i];
            _rowCount = count;
        }
    }

    private sealed class Cursor : SourceCursor
    {
        private readonly CachedView _view;

        public Cursor(CachedView view, bool[] active) : base(view.Schema, active)
        {
            _view = view;
            view.Fill(active);
        }

        protected override bool Advance() => Position + 1 < _view._rowCount;

        protected override Delegate CreateGetter(int column) => _view._caches[column].Getter(() => (int)Position);
    }

    private abstract class ColumnCache
    {
        public static ColumnCache Create<T>(DataViewRow row, DataViewSchema.Column column)
        {
            if (column.Type is VectorDataViewType vector)
                return GenericCall.Of<ColumnCache>(typeof(ColumnCache), nameof(CreateVectors), [vector.ItemType.RawType], row, column);
            ValueGetter<T> get = row.GetGetter<T>(column);
            return new ColumnCache<T>(
                () =>
                {
                    T value = default;
                    get(ref value);
                    return value;
                },
                (in T value, ref T destination) => destination = value);
        }

        public abstract void Add();

        public abstract Delegate Getter(Func<int> row);

        private static ColumnCache<VBuffer<T>> CreateVectors<T>(DataViewRow row, DataViewSchema.Column column)
        {
            ValueGetter<VBuffer<T>> get = row.GetGetter<VBuffer<T>>(column);
            return new ColumnCache<VBuffer<T>>(
                () =>
                {
                    VBuffer<T> value = default;
                    get(ref value);
                    return value;
                },
                (in VBuffer<T> value, ref VBuffer<T> destination) => value.CopyTo(ref destination));
        }
    }

    private delegate void Copy<T>(in T value, ref T destination);

    private sealed class ColumnCache<T>(Func<T> read, Copy<T> copy) : ColumnCache
    {
        private readonly List<T> _values = [];

        public override void Add() => _values.Add(read());

        public override Delegate Getter(Func<int> row) => (ValueGetter<T>)((ref T destination) => copy(_values[row()], ref destination));
    }
}
