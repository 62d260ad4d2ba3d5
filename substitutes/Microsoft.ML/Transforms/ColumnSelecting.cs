// Some of the columns of a view: those that are named, or all others.
using Microsoft.ML.Data;

namespace Microsoft.ML.Transforms;

public sealed class ColumnSelectingEstimator : TrivialEstimator<ColumnSelectingTransformer>
{
    private readonly ColumnSelection _selection;

    internal ColumnSelectingEstimator(ColumnSelection selection) : base(new ColumnSelectingTransformer(selection)) => _selection = selection;

    public override SchemaShape GetOutputSchema(SchemaShape inputSchema)
    {
        ArgumentNullException.ThrowIfNull(inputSchema);
        SchemaShape.Column[] named = [.. _selection.Names.Select(inputSchema.Input)];
        return new SchemaShape(_selection.Drop ? inputSchema.Where(column => !_selection.Names.Contains(column.Name)) : named);
    }
}

public sealed class ColumnSelectingTransformer : ITransformer
{
    private readonly ColumnSelection _selection;

    internal ColumnSelectingTransformer(ColumnSelection selection) => _selection = selection;

    bool ITransformer.IsRowToRowMapper => true;

    internal static ColumnSelectingTransformer Load(ModelReader reader) => new(reader.Get<ColumnSelection>("selection"));

    public DataViewSchema GetOutputSchema(DataViewSchema inputSchema)
    {
        ArgumentNullException.ThrowIfNull(inputSchema);
        return new ColumnSelectingMapper(inputSchema, _selection).OutputSchema;
    }

    public IDataView Transform(IDataView input)
    {
        ArgumentNullException.ThrowIfNull(input);
        return new SelectedView(input, new ColumnSelectingMapper(input.Schema, _selection));
    }

    IRowToRowMapper ITransformer.GetRowToRowMapper(DataViewSchema inputSchema) => new ColumnSelectingMapper(inputSchema, _selection);

    void ICanSaveModel.Save(ModelSaveContext ctx)
    {
        ctx.Writer.SetKind(ModelKinds.ColumnSelecting);
        ctx.Writer.Set("selection", _selection);
    }
}

/// <summary>Which columns: the named ones, or all but them.</summary>
internal sealed record ColumnSelection(string[] Names, bool Drop, bool KeepHidden);

internal sealed class ColumnSelectingMapper : IRowToRowMapper
{
    private readonly DataViewSchema.Column[] _kept;

    public ColumnSelectingMapper(DataViewSchema inputSchema, ColumnSelection selection)
    {
        DataViewSchema.Column[] named = [.. selection.Names.Select(inputSchema.Input)];
        if (selection.Drop)
        {
            _kept = [.. inputSchema.Where(column => !selection.Names.Contains(column.Name))];
        }
        else
        {
            // Hidden columns come before that which hides them.
            _kept = selection.KeepHidden ? [.. named.SelectMany(n => inputSchema.Where(column => column.Name == n.Name))] : named;
        }

        InputSchema = inputSchema;
        OutputSchema = new DataViewSchema([.. _kept.Select(column => new DataViewSchema.DetachedColumn(column))]);
    }

    public DataViewSchema InputSchema { get; }

    public DataViewSchema OutputSchema { get; }

    public IEnumerable<DataViewSchema.Column> GetDependencies(IEnumerable<DataViewSchema.Column> dependingColumns)
        => [.. dependingColumns.Where(column => column.Index < _kept.Length).Select(SourceOf)];

    public DataViewRow GetRow(DataViewRow input, IEnumerable<DataViewSchema.Column> activeColumns) => new SelectedRow(this, input);

    internal DataViewSchema.Column SourceOf(DataViewSchema.Column column) => _kept[column.Index];
}

internal sealed class SelectedRow(ColumnSelectingMapper mapper, DataViewRow input) : DataViewRow
{
    public override DataViewSchema Schema => mapper.OutputSchema;

    public override long Position => input.Position;

    public override long Batch => input.Batch;

    public override bool IsColumnActive(DataViewSchema.Column column) => input.IsColumnActive(mapper.SourceOf(column));

    public override ValueGetter<TValue> GetGetter<TValue>(DataViewSchema.Column column) => input.GetGetter<TValue>(mapper.SourceOf(column));

    public override ValueGetter<DataViewRowId> GetIdGetter() => input.GetIdGetter();

    protected override void Dispose(bool disposing) => input.Dispose();
}

internal sealed class SelectedView(IDataView input, ColumnSelectingMapper mapper) : IDataView
{
    public bool CanShuffle => input.CanShuffle;

    public DataViewSchema Schema => mapper.OutputSchema;

    public long? GetRowCount() => input.GetRowCount();

    public DataViewRowCursor GetRowCursor(IEnumerable<DataViewSchema.Column> columnsNeeded, Random rand = null)
    {
        DataViewRowCursor cursor = input.GetRowCursor(mapper.GetDependencies(columnsNeeded), rand);
        return new RowCursor(cursor, new SelectedRow(mapper, cursor));
    }

    public DataViewRowCursor[] GetRowCursorSet(IEnumerable<DataViewSchema.Column> columnsNeeded, int n, Random rand = null) => [GetRowCursor(columnsNeeded, rand)];
}
