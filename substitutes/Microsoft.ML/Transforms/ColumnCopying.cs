// A column under another name.
using Microsoft.ML.Data;

namespace Microsoft.ML.Transforms;

public sealed class ColumnCopyingEstimator : TrivialEstimator<ColumnCopyingTransformer>
{
    private readonly ColumnPair _pair;

    internal ColumnCopyingEstimator(ColumnPair pair) : base(new ColumnCopyingTransformer(pair)) => _pair = pair;

    public override SchemaShape GetOutputSchema(SchemaShape inputSchema)
    {
        ArgumentNullException.ThrowIfNull(inputSchema);
        return inputSchema.With(inputSchema.Input(_pair.Input).Renamed(_pair.Output));
    }
}

public sealed class ColumnCopyingTransformer : OneToOneTransformerBase
{
    internal ColumnCopyingTransformer(params ColumnPair[] pairs) : base(pairs)
    {
    }

    internal static ColumnCopyingTransformer Load(ModelReader reader) => new(reader.Get<ColumnPair[]>("columns"));

    private protected override MappedColumn MapColumn(DataViewSchema.Column input, int index)
        => new(input.Type, input.Annotations, (row, column, _) => GenericCall.Getter(row, column));

    private protected override void SaveModel(ModelWriter writer)
    {
        writer.SetKind(ModelKinds.ColumnCopying);
        writer.Set("columns", Columns);
    }
}
