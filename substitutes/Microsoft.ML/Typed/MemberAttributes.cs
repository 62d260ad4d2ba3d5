// What the members of a row class say of their columns.
namespace Microsoft.ML.Data;

[AttributeUsage(AttributeTargets.Field | AttributeTargets.Property, AllowMultiple = false, Inherited = true)]
public sealed class ColumnNameAttribute : Attribute
{
    public ColumnNameAttribute(string name) => Name = name;

    internal string Name { get; }
}

[AttributeUsage(AttributeTargets.Field | AttributeTargets.Property, AllowMultiple = false, Inherited = true)]
public sealed class NoColumnAttribute : Attribute
{
}

[AttributeUsage(AttributeTargets.Field | AttributeTargets.Property, AllowMultiple = false, Inherited = true)]
public sealed class KeyTypeAttribute : Attribute
{
    public KeyTypeAttribute() => throw new NotSupportedException("Using KeyType without the Count parameter is not supported");

    public KeyTypeAttribute(ulong count) => Count = count;

    internal ulong Count { get; }
}

[AttributeUsage(AttributeTargets.Field | AttributeTargets.Property, AllowMultiple = false, Inherited = true)]
public sealed class VectorTypeAttribute : Attribute
{
    public VectorTypeAttribute() => Dimensions = [];

    public VectorTypeAttribute(int size) => Dimensions = [size >= 0 ? size : throw new ArgumentOutOfRangeException(nameof(size))];

    public VectorTypeAttribute(params int[] dimensions)
        => Dimensions = dimensions.All(d => d >= 0) ? dimensions : throw new ArgumentOutOfRangeException(nameof(dimensions));

    internal int[] Dimensions { get; }
}

[AttributeUsage(AttributeTargets.Field | AttributeTargets.Property, AllowMultiple = false, Inherited = true)]
public sealed class LoadColumnAttribute : Attribute
{
    public LoadColumnAttribute(int fieldIndex) : this([fieldIndex])
    {
    }

    public LoadColumnAttribute(int start, int end) : this([.. Enumerable.Range(start, end - start + 1)])
    {
    }

    public LoadColumnAttribute(int[] columnIndexes) => Fields = columnIndexes;

    /// <summary>The fields of a line.</summary>
    internal int[] Fields { get; }
}
