using Microsoft.ML.Data;
using Microsoft.ML.Transforms.Image;

namespace Microsoft.ML.Distillation.Data;

/// <summary>The columns that training reads, found in a schema and checked.</summary>
internal sealed class IngestColumns
{
    private IngestColumns(DataViewSchema.Column image, DataViewSchema.Column label, DataViewSchema.Column boxes, DataViewSchema.Column? path, IReadOnlyList<DataViewSchema.Column> leftOut)
    {
        Image = image;
        Label = label;
        Boxes = boxes;
        Path = path;
        LeftOut = leftOut;
    }

    /// <summary>The images.</summary>
    public DataViewSchema.Column Image { get; }

    /// <summary>The objects' classes, keys.</summary>
    public DataViewSchema.Column Label { get; }

    /// <summary>The objects' boxes.</summary>
    public DataViewSchema.Column Boxes { get; }

    /// <summary>The images' paths, where the data has them.</summary>
    public DataViewSchema.Column? Path { get; }

    /// <summary>Columns that mark objects to be left out, where the data has them.</summary>
    public IReadOnlyList<DataViewSchema.Column> LeftOut { get; }

    /// <summary>All columns to be read.</summary>
    public IEnumerable<DataViewSchema.Column> All => Path is { } path ? [Image, Label, Boxes, .. LeftOut, path] : [Image, Label, Boxes, .. LeftOut];

    /// <exception cref="ArgumentException">A column is missing or has another type than it must; the message names it.</exception>
    public static IngestColumns Find(DataViewSchema schema, DataViewIngestOptions options)
    {
        DataViewSchema.Column image = Column(schema, options.ImageColumnName, "the images");
        if (image.Type is not ImageDataViewType)
            throw WrongType(image, "images", "Load them with mlContext.Transforms.LoadImages");

        DataViewSchema.Column boxes = Column(schema, options.BoundingBoxColumnName, "the objects' boxes");
        if (boxes.Type is not VectorDataViewType { ItemType: NumberDataViewType { RawType: var number } } || number != typeof(float))
            throw WrongType(boxes, "a vector of Single: x0 y0 x1 y1 of each object in pixels of the image", "Convert it with mlContext.Transforms.Conversion.ConvertType");

        DataViewSchema.Column label = Column(schema, options.LabelColumnName, "the objects' classes");
        if (label.Type is not VectorDataViewType { ItemType: KeyDataViewType { RawType: var key } } || key != typeof(uint))
            throw WrongType(label, "a vector of keys (UInt32), one for each object", "Make keys of names with mlContext.Transforms.Conversion.MapValueToKey");

        DataViewSchema.Column? path = schema.GetColumnOrNull(options.ImagePathColumnName) is { Type: TextDataViewType } text ? text : null;
        return new IngestColumns(image, label, boxes, path, [.. options.LeftOutColumnNames.Select(schema.GetColumnOrNull).OfType<DataViewSchema.Column>().Where(IsFlags)]);
    }

    /// <summary>The names of the label column's keys, in their order.</summary>
    /// <exception cref="ArgumentException">The keys have no names.</exception>
    public IReadOnlyList<string> ReadClassNames()
    {
        if (!Label.HasKeyValues(TextDataViewType.Instance))
        {
            throw new ArgumentException(
                $"The keys of column '{Label.Name}' have no names (text key values). Make them with mlContext.Transforms.Conversion.MapValueToKey; "
                + "if they were, the data that it was fitted on has no object.");
        }

        VBuffer<ReadOnlyMemory<char>> names = default;
        Label.GetKeyValues(ref names);
        string[] classNames = [.. names.DenseValues().Select(name => name.ToString())];
        return classNames.Length > 0 ? classNames : throw new ArgumentException($"Column '{Label.Name}' knows no class: the data it was made from has no object.");
    }

    private static bool IsFlags(DataViewSchema.Column column) => column.Type is VectorDataViewType { ItemType: BooleanDataViewType };

    private static DataViewSchema.Column Column(DataViewSchema schema, string name, string what)
        => schema.GetColumnOrNull(name) ?? throw new ArgumentException(
            $"The data has no column '{name}', which holds {what}. It has: {string.Join(", ", schema.Select(column => column.Name))}.");

    private static ArgumentException WrongType(DataViewSchema.Column column, string wanted, string advice)
        => new($"Column '{column.Name}' is of type {column.Type}, but must be {wanted}. {advice}.");
}
