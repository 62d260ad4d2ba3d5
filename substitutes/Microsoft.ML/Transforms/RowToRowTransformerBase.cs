// Transformers that add columns to each row by itself.

namespace Microsoft.ML.Data;

public abstract class RowToRowTransformerBase : ITransformer
{
    private protected RowToRowTransformerBase()
    {
    }

    bool ITransformer.IsRowToRowMapper => true;

    public DataViewSchema GetOutputSchema(DataViewSchema inputSchema)
    {
        ArgumentNullException.ThrowIfNull(inputSchema);
        return CreateMapper(inputSchema).OutputSchema;
    }

    public IDataView Transform(IDataView input)
    {
        ArgumentNullException.ThrowIfNull(input);
        return new MappedView(input, CreateMapper(input.Schema));
    }

    IRowToRowMapper ITransformer.GetRowToRowMapper(DataViewSchema inputSchema)
    {
        ArgumentNullException.ThrowIfNull(inputSchema);
        return CreateMapper(inputSchema);
    }

    void ICanSaveModel.Save(ModelSaveContext ctx) => SaveModel(ctx.Writer);

    private protected abstract RowMapper CreateMapper(DataViewSchema inputSchema);

    private protected abstract void SaveModel(ModelWriter writer);
}

public abstract class OneToOneTransformerBase : RowToRowTransformerBase
{
    private protected OneToOneTransformerBase(params ColumnPair[] columns) => Columns = columns;

    private protected ColumnPair[] Columns { get; }

    private protected sealed override RowMapper CreateMapper(DataViewSchema inputSchema)
        => new OneToOneMapper(inputSchema, Columns, [.. Columns.Select((pair, i) => MapColumn(inputSchema.Input(pair.Input), i))]);

    /// <summary>What becomes of a column.</summary>
    private protected abstract MappedColumn MapColumn(DataViewSchema.Column input, int index);
}

/// <summary>The name of a column and of that which it is made from.</summary>
internal sealed record ColumnPair(string Output, string Input)
{
    public static ColumnPair Of(string output, string input)
    {
        ArgumentException.ThrowIfNullOrEmpty(output, "outputColumnName");
        return new ColumnPair(output, string.IsNullOrEmpty(input) ? output : input);
    }

    public static ColumnPair[] Of(InputOutputColumnPair[] columns)
        => [.. (columns ?? throw new ArgumentNullException(nameof(columns))).Select(pair => Of(pair.OutputColumnName, pair.InputColumnName))];
}

/// <summary>A column made from one other.</summary>
/// <param name="CreateGetter">Makes its getter for a row; what must be disposed with the row is added to the collection.</param>
internal sealed record MappedColumn(
    DataViewType Type, DataViewSchema.Annotations Annotations, Func<DataViewRow, DataViewSchema.Column, ICollection<IDisposable>, Delegate> CreateGetter);

internal sealed class OneToOneMapper(DataViewSchema inputSchema, ColumnPair[] pairs, MappedColumn[] columns)
    : RowMapper(inputSchema, [.. columns.Select((c, i) => new DataViewSchema.DetachedColumn(pairs[i].Output, c.Type, c.Annotations))])
{
    protected override IEnumerable<DataViewSchema.Column> DependenciesOf(int added) => [InputSchema[pairs[added].Input]];

    protected override void CreateGetters(DataViewRow input, Delegate[] getters, bool[] active, ICollection<IDisposable> owned)
    {
        for (int i = 0; i < columns.Length; i++)
        {
            if (active[i]) getters[i] = columns[i].CreateGetter(input, InputSchema[pairs[i].Input], owned);
        }
    }
}
