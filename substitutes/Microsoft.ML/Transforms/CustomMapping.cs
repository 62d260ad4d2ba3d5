// The estimator and transformer of a mapping of the user's own. Saved are its contract and the name of its assembly, no more.
using System.Reflection;
using Microsoft.ML.Data;
using Microsoft.ML.Runtime;

namespace Microsoft.ML.Transforms;

public sealed class CustomMappingEstimator<TSrc, TDst> : TrivialEstimator<CustomMappingTransformer<TSrc, TDst>>
    where TSrc : class, new()
    where TDst : class, new()
{
    internal CustomMappingEstimator(CustomMappingTransformer<TSrc, TDst> transformer) : base(transformer)
    {
    }

    public override SchemaShape GetOutputSchema(SchemaShape inputSchema)
    {
        ArgumentNullException.ThrowIfNull(inputSchema);
        foreach (RowMember member in Transformer.Source)
        {
            SchemaShape.Column found = inputSchema.Input(member.ColumnName), wanted = SchemaShape.Column.Of(member.ColumnName, member.ColumnType);
            // A vector of a known size will do where one of any size is wanted. Types are compared by reference, as ML.NET does.
            bool kindFits = found.Kind == wanted.Kind
                || (wanted.Kind == SchemaShape.Column.VectorKind.VariableVector && found.Kind == SchemaShape.Column.VectorKind.Vector);
            if (!kindFits || !ReferenceEquals(found.ItemType, wanted.ItemType) || found.IsKey != wanted.IsKey)
                throw SchemaErrors.Mismatch(member.ColumnName, $"{member.ColumnType}", found.TypeText());
        }

        return inputSchema.With(SchemaShape.Create(RowMember.Schema(Transformer.Added)));
    }
}

public sealed class CustomMappingTransformer<TSrc, TDst> : ITransformer
    where TSrc : class, new()
    where TDst : class, new()
{
    private readonly Action<TSrc, TDst> _map;
    private readonly string _contractName;

    internal CustomMappingTransformer(Action<TSrc, TDst> map, string contractName, SchemaDefinition source, SchemaDefinition added)
    {
        (_map, _contractName) = (map, contractName);
        Source = RowMember.Of(typeof(TSrc), source ?? SchemaDefinition.Create(typeof(TSrc), SchemaDefinition.Direction.Write));
        Added = RowMember.Of(typeof(TDst), added ?? SchemaDefinition.Create(typeof(TDst), SchemaDefinition.Direction.Read));
    }

    bool ITransformer.IsRowToRowMapper => true;

    internal RowMember[] Source { get; }

    internal RowMember[] Added { get; }

    public DataViewSchema GetOutputSchema(DataViewSchema inputSchema)
    {
        ArgumentNullException.ThrowIfNull(inputSchema);
        return new Mapper(this, inputSchema).OutputSchema;
    }

    public IDataView Transform(IDataView input)
    {
        ArgumentNullException.ThrowIfNull(input);
        return new MappedView(input, new Mapper(this, input.Schema));
    }

    IRowToRowMapper ITransformer.GetRowToRowMapper(DataViewSchema inputSchema) => new Mapper(this, inputSchema);

    void ICanSaveModel.Save(ModelSaveContext ctx)
    {
        if (string.IsNullOrEmpty(_contractName)) throw new InvalidOperationException("Empty contract name for a transform: the transform cannot be saved");
        ctx.Writer.SetKind(ModelKinds.CustomMapping);
        ctx.Writer.Set("contract", _contractName);
        ctx.Writer.Set("assembly", _map.Method.DeclaringType.Assembly.FullName);
    }

    /// <summary>Runs the mapping once a row, however many of its columns are read.</summary>
    private sealed class Mapper : RowMapper
    {
        private readonly CustomMappingTransformer<TSrc, TDst> _owner;
        private readonly (RowMember Member, DataViewSchema.Column Column)[] _bound;

        public Mapper(CustomMappingTransformer<TSrc, TDst> owner, DataViewSchema inputSchema) : base(inputSchema, [.. owner.Added.Select(member => member.ToColumn())])
        {
            _owner = owner;
            _bound = RowWriting.Bind(inputSchema, owner.Source, ignoreMissing: false);
        }

        protected override IEnumerable<DataViewSchema.Column> DependenciesOf(int added) => _bound.Select(pair => pair.Column);

        protected override void CreateGetters(DataViewRow input, Delegate[] getters, bool[] active, ICollection<IDisposable> owned)
        {
            if (!active.Contains(true)) return;
            Action<TSrc> fill = RowWriting.Filler<TSrc>(input, _bound);
            TSrc source = new();
            TDst mapped = new();
            long position = -1;
            TDst Current()
            {
                if (position != input.Position)
                {
                    fill(source);
                    _owner._map(source, mapped);
                    position = input.Position;
                }

                return mapped;
            }

            for (int i = 0; i < getters.Length; i++)
            {
                if (active[i]) getters[i] = RowReading.Getter(_owner.Added[i], Current);
            }
        }
    }
}

/// <summary>Makes a saved mapping again, by its contract.</summary>
internal static class CustomMappingFile
{
    public static ITransformer Load(ModelReader reader, IHostEnvironment environment)
    {
        string contract = reader.Get<string>("contract"), assembly = reader.Get<string>("assembly");
        try
        {
            environment.ComponentCatalog.RegisterAssembly(Assembly.Load(new AssemblyName(assembly) { Version = null }));
        }
        catch (IOException)
        {
            // Not here; another assembly that was registered may have the contract.
        }

        return environment.ComponentCatalog.CreateFactory(contract).Create(contract);
    }
}
