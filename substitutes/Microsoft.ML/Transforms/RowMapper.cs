// Adds columns to a row: the columns of the input, then those that are added, computed only where they are wanted.
namespace Microsoft.ML.Data;

internal abstract class RowMapper : IRowToRowMapper
{
    private readonly int _addedCount;

    protected RowMapper(DataViewSchema inputSchema, IReadOnlyList<DataViewSchema.DetachedColumn> added)
    {
        InputSchema = inputSchema;
        _addedCount = added.Count;
        OutputSchema = new DataViewSchema([.. inputSchema.Select(column => new DataViewSchema.DetachedColumn(column)), .. added]);
    }

    public DataViewSchema InputSchema { get; }

    public DataViewSchema OutputSchema { get; }

    public IEnumerable<DataViewSchema.Column> GetDependencies(IEnumerable<DataViewSchema.Column> dependingColumns)
    {
        var needed = new SortedSet<int>();
        foreach (DataViewSchema.Column column in dependingColumns)
        {
            if (column.Index < InputSchema.Count) needed.Add(column.Index);
            else needed.UnionWith(DependenciesOf(column.Index - InputSchema.Count).Select(c => c.Index));
        }

        return [.. needed.Select(index => InputSchema[index])];
    }

    public DataViewRow GetRow(DataViewRow input, IEnumerable<DataViewSchema.Column> activeColumns) => Map(input, activeColumns);

    internal MappedRow Map(DataViewRow input, IEnumerable<DataViewSchema.Column> activeColumns)
    {
        var active = new bool[_addedCount];
        foreach (DataViewSchema.Column column in activeColumns)
        {
            if (column.Index >= InputSchema.Count && column.Index < OutputSchema.Count) active[column.Index - InputSchema.Count] = true;
        }

        var getters = new Delegate[_addedCount];
        var owned = new List<IDisposable>();
        CreateGetters(input, getters, active, owned);
        return new MappedRow(this, input, getters, owned);
    }

    /// <summary>The columns that an added one is computed from.</summary>
    protected abstract IEnumerable<DataViewSchema.Column> DependenciesOf(int added);

    /// <summary>Makes the getters of the active columns.</summary>
    /// <param name="owned">Takes what must be disposed with the row.</param>
    protected abstract void CreateGetters(DataViewRow input, Delegate[] getters, bool[] active, ICollection<IDisposable> owned);
}

/// <summary>A row with added columns; disposes the row that it is made from.</summary>
internal sealed class MappedRow(RowMapper mapper, DataViewRow input, Delegate[] getters, IReadOnlyList<IDisposable> owned) : DataViewRow
{
    public override DataViewSchema Schema => mapper.OutputSchema;

    public override long Position => input.Position;

    public override long Batch => input.Batch;

    public override bool IsColumnActive(DataViewSchema.Column column)
        => column.Index < mapper.InputSchema.Count ? input.IsColumnActive(mapper.InputSchema[column.Index]) : getters[column.Index - mapper.InputSchema.Count] is not null;

    public override ValueGetter<TValue> GetGetter<TValue>(DataViewSchema.Column column)
    {
        if (column.Index < mapper.InputSchema.Count) return input.GetGetter<TValue>(mapper.InputSchema[column.Index]);
        return GenericCall.As<TValue>(getters[column.Index - mapper.InputSchema.Count] ?? throw GenericCall.NotActive(), Schema[column.Index]);
    }

    public override ValueGetter<DataViewRowId> GetIdGetter() => input.GetIdGetter();

    protected override void Dispose(bool disposing)
    {
        foreach (IDisposable item in owned) item.Dispose();
        input.Dispose();
    }
}

/// <summary>A data view with added columns.</summary>
internal sealed class MappedView(IDataView input, RowMapper mapper) : IDataView
{
    public bool CanShuffle => input.CanShuffle;

    public DataViewSchema Schema => mapper.OutputSchema;

    public long? GetRowCount() => input.GetRowCount();

    public DataViewRowCursor GetRowCursor(IEnumerable<DataViewSchema.Column> columnsNeeded, Random rand = null)
    {
        DataViewSchema.Column[] needed = [.. columnsNeeded];
        DataViewRowCursor cursor = input.GetRowCursor(mapper.GetDependencies(needed), rand);
        return new RowCursor(cursor, mapper.Map(cursor, needed));
    }

    public DataViewRowCursor[] GetRowCursorSet(IEnumerable<DataViewSchema.Column> columnsNeeded, int n, Random rand = null) => [GetRowCursor(columnsNeeded, rand)];
}

/// <summary>Moves one cursor and shows another row, made from it.</summary>
internal sealed class RowCursor(DataViewRowCursor cursor, DataViewRow row) : DataViewRowCursor
{
    public override DataViewSchema Schema => row.Schema;

    public override long Position => row.Position;

    public override long Batch => row.Batch;

    public override bool MoveNext() => cursor.MoveNext();

    public override bool IsColumnActive(DataViewSchema.Column column) => row.IsColumnActive(column);

    public override ValueGetter<TValue> GetGetter<TValue>(DataViewSchema.Column column) => row.GetGetter<TValue>(column);

    public override ValueGetter<DataViewRowId> GetIdGetter() => row.GetIdGetter();

    protected override void Dispose(bool disposing)
    {
        row.Dispose();
        cursor.Dispose();
    }
}
