// One row object at a time as a row; what a prediction engine reads.
namespace Microsoft.ML.Data;

internal sealed class ObjectRow<TRow>(RowMember[] members) : DataViewRow where TRow : class
{
    private readonly DataViewSchema _schema = RowMember.Schema(members);
    private TRow _current;
    private long _position = -1;

    public override DataViewSchema Schema => _schema;

    public override long Position => _position;

    public override long Batch => 0;

    /// <summary>Goes on to another object.</summary>
    public void Show(TRow row)
    {
        ArgumentNullException.ThrowIfNull(row);
        _current = row;
        _position++;
    }

    public override bool IsColumnActive(DataViewSchema.Column column) => column.Index < members.Length;

    public override ValueGetter<TValue> GetGetter<TValue>(DataViewSchema.Column column)
        => GenericCall.As<TValue>(RowReading.Getter(members[column.Index], () => _current), _schema[column.Index]);

    public override ValueGetter<DataViewRowId> GetIdGetter() => (ref DataViewRowId value) => value = new DataViewRowId((ulong)_position, 0);
}
