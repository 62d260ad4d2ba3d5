using Microsoft.ML.Data;
using Microsoft.ML.Transforms.Image;

namespace Microsoft.ML.Distillation.Rows;

/// <summary>
/// What a column must hold, and what to do where it does not: every column that this library reads is asked for here, so that
/// what is said of one that is missing or of another type is always the same.
/// </summary>
/// <param name="Wanted">What it must hold.</param>
/// <param name="Advice">What to do where it holds something else.</param>
/// <param name="Fits">Whether a type is such a one.</param>
internal sealed record ColumnKind(string Wanted, string Advice, Func<DataViewType, bool> Fits)
{
    private const string ToSingle = "Convert it with mlContext.Transforms.Conversion.ConvertType";
    private const string ToKeys = "Make keys of names with mlContext.Transforms.Conversion.MapValueToKey";

    /// <summary>Images.</summary>
    public static readonly ColumnKind Image = new(
        "an image (MLImage)", "Load images with mlContext.Transforms.LoadUprightImages", type => type is ImageDataViewType);

    /// <summary>The classes of objects that are trained on: keys with names.</summary>
    public static readonly ColumnKind Keys = new("a vector of keys (UInt32), one for each object", ToKeys, IsKeys);

    /// <summary>The classes of objects that are measured: keys or text.</summary>
    public static readonly ColumnKind Labels = new(
        "a vector of keys (UInt32) or of text, one for each object", ToKeys,
        type => IsKeys(type) || type is VectorDataViewType { ItemType: TextDataViewType });

    /// <summary>The boxes of objects.</summary>
    public static readonly ColumnKind Boxes = new(
        "a vector of Single: x0 y0 x1 y1 of each object in pixels of the image", ToSingle, IsVectorOf<float>);

    /// <summary>The scores of detections.</summary>
    public static readonly ColumnKind Scores = new("a vector of Single, one for each object", ToSingle, IsVectorOf<float>);

    /// <summary>Whether a type is a vector of plain values of a type, not of keys.</summary>
    public static bool IsVectorOf<T>(DataViewType type)
        => type is VectorDataViewType { ItemType: not KeyDataViewType and { RawType: var item } } && item == typeof(T);

    /// <summary>The column of a name.</summary>
    /// <param name="option">The option that named the data, for messages; null where there is but one set of data.</param>
    /// <exception cref="ArgumentException">
    /// It is missing or of another type; the message names it, what is wanted, and what to do.
    /// </exception>
    public DataViewSchema.Column In(DataViewSchema schema, string name, string? option = null)
    {
        DataViewSchema.Column column = schema.GetColumnOrNull(name)
            ?? throw Missing(name, option, schema.Select(other => (other.Name, other.Type)));
        if (!Fits(column.Type)) throw WrongType(name, option, column.Type);
        if (this == Keys) CheckNames(column);
        return column;
    }

    /// <summary>Checks the column of a name before there are data.</summary>
    /// <inheritdoc cref="In"/>
    public void CheckIn(SchemaShape shape, string name)
    {
        SchemaShape.Column[] found = [.. shape.Where(column => column.Name == name)];
        if (found.Length == 0) throw Missing(name, null, shape.Select(other => (other.Name, TypeOf(other))));
        if (!Fits(TypeOf(found[0]))) throw WrongType(name, null, TypeOf(found[0]));
    }

    /// <summary>The names of a column's keys in their order; null where it holds no keys, or keys without names.</summary>
    public static IReadOnlyList<string>? KeyNames(DataViewSchema.Column column)
    {
        if (!column.HasKeyValues(TextDataViewType.Instance)) return null;
        VBuffer<ReadOnlyMemory<char>> names = default;
        column.GetKeyValues(ref names);
        return [.. names.DenseValues().Select(name => name.ToString())];
    }

    /// <summary>Classes are told apart and matched by their names.</summary>
    private static void CheckNames(DataViewSchema.Column column)
    {
        IReadOnlyList<string> names = KeyNames(column) ?? throw new ArgumentException(
            $"The keys of column '{column.Name}' have no names (text key values). {ToKeys}; "
            + "if they were made so, the data that it was fitted on has no object.");
        if (names.Count == 0)
            throw new ArgumentException($"Column '{column.Name}' knows no class: the data it was made from has no object.");
    }

    private static bool IsKeys(DataViewType type)
        => type is VectorDataViewType { ItemType: KeyDataViewType { RawType: var key } } && key == typeof(uint);

    /// <summary>The type of a column that a shape announces; how many keys it has is not known yet.</summary>
    private static DataViewType TypeOf(SchemaShape.Column column)
    {
        DataViewType item = column.IsKey ? new KeyDataViewType(column.ItemType.RawType, int.MaxValue) : column.ItemType;
        bool isVector = column.Kind != SchemaShape.Column.VectorKind.Scalar;
        return isVector && item is PrimitiveDataViewType value ? new VectorDataViewType(value) : item;
    }

    private ArgumentException Missing(string name, string? option, IEnumerable<(string Name, DataViewType Type)> columns)
    {
        string known = string.Join(", ", columns.Select(column => $"'{column.Name}' ({column.Type})"));
        string data = option is null ? "The data" : $"{option}: the data";
        return new ArgumentException($"{data} have no column '{name}', which must be {Wanted}. {Advice}. They have: {known}.");
    }

    private ArgumentException WrongType(string name, string? option, DataViewType type)
        => new($"{(option is null ? "Column" : $"{option}: column")} '{name}' is of type {type}, but must be {Wanted}. {Advice}.");
}
