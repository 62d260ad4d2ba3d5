using Microsoft.ML.Data;
using Microsoft.ML.Distillation.Model;
using Microsoft.ML.Distillation.Rows;

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
        ColumnKind.Keys.CheckIn(input, options.LabelColumnName);
        ColumnKind.Boxes.CheckIn(input, options.BoundingBoxColumnName);
        return output;
    }

    /// <summary>The columns after a detector, given those before.</summary>
    /// <exception cref="ArgumentException">The image's column is missing or of another type.</exception>
    public static SchemaShape Output(TransformsCatalog catalog, SchemaShape input, DetectorColumns options)
    {
        ColumnKind.Image.CheckIn(input, options.Image);
        var columns = input.ToDictionary(c => c.Name);
        foreach (SchemaShape.Column column in Predicted(catalog, options)) columns[column.Name] = column;
        return new SchemaShape(columns.Values);
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
