// Row objects as a data view; read again for each cursor.
namespace Microsoft.ML.Data;

internal sealed class EnumerableView<TRow>(IEnumerable<TRow> rows, RowMember[] members) : SourceView(RowMember.Schema(members)) where TRow : class
{
    public override long? GetRowCount() => rows is ICollection<TRow> collection ? collection.Count : null;

    protected override SourceCursor CreateCursor(bool[] active) => new Cursor(Schema, active, rows.GetEnumerator(), members);

    private sealed class Cursor(DataViewSchema schema, bool[] active, IEnumerator<TRow> rows, RowMember[] members) : SourceCursor(schema, active)
    {
        protected override bool Advance() => rows.MoveNext();

        protected override Delegate CreateGetter(int column) => RowReading.Getter(members[column], () => rows.Current);

        protected override void Dispose(bool disposing) => rows.Dispose();
    }
}
