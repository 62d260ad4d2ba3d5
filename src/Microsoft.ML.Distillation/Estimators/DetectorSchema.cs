using Microsoft.ML.Data;
using Microsoft.ML.Distillation.Model;
using Microsoft.ML.Transforms.Image;

namespace Microsoft.ML.Distillation.Estimators;

/// <summary>Checks and computes schemas before any data are read.</summary>
internal static class DetectorSchema
{
    /// <summary>The columns after a detector estimator, given those before.</summary>
    /// <exception cref="ArgumentException">A column is missing or of another type; the message names it and what is wanted.</exception>
    public static SchemaShape Output(TransformsCatalog catalog, SchemaShape input, DetectorEstimatorOptions options)
    {
        SchemaShape output = Output(catalog, input, options.Columns);
        if (options is DistillDetectorOptions { WithoutLabels: true }) return output;
        Check(input, options.LabelColumnName, "a vector of keys (use Conversion.MapValueToKey on class names)",
            c => c.Kind != SchemaShape.Column.VectorKind.Scalar && c.IsKey);
        Check(input, options.BoundingBoxColumnName, "a vector of Single (x0 y0 x1 y1 of each object in pixels)",
            c => c.Kind != SchemaShape.Column.VectorKind.Scalar && !c.IsKey && c.ItemType.RawType == typeof(float));
        return output;
    }

    /// <summary>The columns after a detector, given those before.</summary>
    /// <exception cref="ArgumentException">The image's column is missing or of another type.</exception>
    public static SchemaShape Output(TransformsCatalog catalog, SchemaShape input, DetectorColumns options)
    {
        Check(input, options.Image, "an image (MLImage, as LoadImages makes it)",
            c => c.Kind == SchemaShape.Column.VectorKind.Scalar && c.ItemType is ImageDataViewType);

        var columns = input.ToDictionary(c => c.Name);
        foreach (SchemaShape.Column column in Predicted(catalog, options)) columns[column.Name] = column;
        return new SchemaShape(columns.Values);
    }

    private static void Check(SchemaShape input, string name, string wanted, Func<SchemaShape.Column, bool> fits)
    {
        SchemaShape.Column[] found = [.. input.Where(c => c.Name == name)];
        if (found is not [SchemaShape.Column column])
        {
            throw new ArgumentException(
                $"The data have no column '{name}', which must be {wanted}. They have: {string.Join(", ", input.Select(c => $"'{c.Name}'"))}.");
        }

        if (!fits(column))
        {
            string kind = column.Kind == SchemaShape.Column.VectorKind.Scalar ? "" : "vector of ";
            string? item = column.IsKey ? "keys" : column.ItemType.ToString();
            throw new ArgumentException($"The column '{name}' is {kind}{item}; it must be {wanted}.");
        }
    }

    /// <summary>
    /// The shape of the predicted columns. <see cref="SchemaShape.Column"/> has no public constructor, so a stock estimator that
    /// declares the same columns and does nothing is asked for its output.
    /// </summary>
    private static SchemaShape Predicted(TransformsCatalog catalog, DetectorColumns options)
    {
        var declared = SchemaDefinition.Create(typeof(Declared));
        SchemaDefinition.Column label = declared[nameof(Declared.Label)];
        label.ColumnName = options.PredictedLabel;
        label.ColumnType = new VectorDataViewType(new KeyDataViewType(typeof(uint), 1));
        var names = new VBuffer<ReadOnlyMemory<char>>(1, ["".AsMemory()]);
        label.AddAnnotation("KeyValues", names, new VectorDataViewType(TextDataViewType.Instance, 1));
        declared[nameof(Declared.Score)].ColumnName = options.Score;
        declared[nameof(Declared.Boxes)].ColumnName = options.PredictedBoundingBoxes;
        return catalog.CustomMapping<Nothing, Declared>((_, _) => { }, null, outputSchemaDefinition: declared)
            .GetOutputSchema(new SchemaShape([]));
    }

    private sealed class Nothing;

    private sealed class Declared
    {
        public VBuffer<uint> Label { get; set; }

        public VBuffer<float> Score { get; set; }

        public VBuffer<float> Boxes { get; set; }
    }
}
