// What can be known of columns before there are data.
using System.Collections;
using System.Diagnostics.CodeAnalysis;
using Microsoft.ML.Data;

namespace Microsoft.ML;

public sealed class SchemaShape : IReadOnlyList<SchemaShape.Column>
{
    private static readonly SchemaShape Empty = new([]);
    private readonly Column[] _columns;

    public SchemaShape(IEnumerable<Column> columns) => _columns = [.. columns ?? throw new ArgumentNullException(nameof(columns))];

    public int Count => _columns.Length;

    public Column this[int index] => _columns[index];

    public IEnumerator<Column> GetEnumerator() => ((IEnumerable<Column>)_columns).GetEnumerator();

    IEnumerator IEnumerable.GetEnumerator() => GetEnumerator();

    /// <summary>The shape of a schema's visible columns.</summary>
    internal static SchemaShape Create(DataViewSchema schema)
        => new(schema.Where(c => !c.IsHidden).Select(c => Column.Of(c.Name, c.Type, c.Annotations.Schema.Select(a => Column.Of(a.Name, a.Type)))));

    /// <summary>The column of an estimator's input.</summary>
    /// <exception cref="ArgumentOutOfRangeException">There is none.</exception>
    internal Column Input(string name)
        => Find(name) ?? throw new ArgumentOutOfRangeException("inputSchema", $"Could not find input column '{name}'");

    internal Column? Find(string name)
    {
        foreach (Column column in _columns)
        {
            if (column.Name == name) return column;
        }

        return null;
    }

    /// <summary>These columns and others, which take the places of those of their names.</summary>
    internal SchemaShape With(params IEnumerable<Column> columns)
    {
        var all = new Dictionary<string, Column>();
        foreach (Column column in _columns.Concat(columns)) all[column.Name] = column;
        return new SchemaShape(all.Values);
    }

    [SuppressMessage("Performance", "CA1815", Justification = "The real one has no equality of its own.")]
    public struct Column
    {
        public readonly string Name;
        public readonly VectorKind Kind;
        public readonly DataViewType ItemType;
        public readonly bool IsKey;
        public readonly SchemaShape Annotations;

        internal Column(string name, VectorKind kind, DataViewType itemType, bool isKey, SchemaShape annotations = null)
            => (Name, Kind, ItemType, IsKey, Annotations) = (name, kind, itemType, isKey, annotations ?? Empty);

        public enum VectorKind
        {
            Scalar = 0,
            Vector = 1,
            VariableVector = 2,
        }

        internal static Column Of(string name, DataViewType type, IEnumerable<Column> annotations = null)
        {
            var kind = type is not VectorDataViewType vector ? VectorKind.Scalar : vector.IsKnownSize ? VectorKind.Vector : VectorKind.VariableVector;
            DataViewType item = type.ItemOf();
            bool isKey = item is KeyDataViewType;
            return new Column(name, kind, isKey ? PrimitiveTypes.Of(item.RawType) : item, isKey, annotations is null ? null : new SchemaShape(annotations));
        }

        internal readonly Column Renamed(string name) => new(name, Kind, ItemType, IsKey, Annotations);

        /// <summary>The same shape with other items.</summary>
        internal readonly Column WithItems(string name, DataViewType item, bool isKey = false, params IEnumerable<Column> annotations)
            => new(name, Kind, item, isKey, new SchemaShape(annotations));

        internal readonly string TypeText()
        {
            string item = IsKey ? $"Key<{ItemType}>" : $"{ItemType}";
            return Kind switch { VectorKind.Scalar => item, VectorKind.Vector => $"Vector<{item}>", _ => $"VarVector<{item}>" };
        }
    }
}
