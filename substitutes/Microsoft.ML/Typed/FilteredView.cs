// Some of the rows of a view.
namespace Microsoft.ML.Data;

/// <param name="createFilter">Makes, for a cursor, the question whether its row is one of them; asked once for each row.</param>
internal sealed class FilteredView(IDataView source, IReadOnlyList<DataViewSchema.Column> read, Func<DataViewRow, Func<bool>> createFilter) : IDataView
{
    public bool CanShuffle => false;

    public DataViewSchema Schema => source.Schema;

    public long? GetRowCount() => null;

    public DataViewRowCursor GetRowCursor(IEnumerable<DataViewSchema.Column> columnsNeeded, Random rand = null)
    {
        DataViewRowCursor cursor = source.GetRowCursor(columnsNeeded.Concat(read));
        return new Cursor(cursor, createFilter(cursor));
    }

    public DataViewRowCursor[] GetRowCursorSet(IEnumerable<DataViewSchema.Column> columnsNeeded, int n, Random rand = null) => [GetRowCursor(columnsNeeded, rand)];

    private sealed class Cursor(DataViewRowCursor cursor, Func<bool> belongs) : DataViewRowCursor
    {
        private long _position = -1;

        public override DataViewSchema Schema => cursor.Schema;

        public override long Position => _position;

        public override long Batch => cursor.Batch;

        public override bool MoveNext()
        {
            while (cursor.MoveNext())
            {
                if (!belongs()) continue;
                _position++;
                return true;
            }

            _position = -1;
            return false;
        }

        public override bool IsColumnActive(DataViewSchema.Column column) => cursor.IsColumnActive(column);

        public override ValueGetter<TValue> GetGetter<TValue>(DataViewSchema.Column column) => cursor.GetGetter<TValue>(column);

        public override ValueGetter<DataViewRowId> GetIdGetter() => cursor.GetIdGetter();

        protected override void Dispose(bool disposing) => cursor.Dispose();
    }
}
