using Microsoft.ML.Data;
using Microsoft.ML.Transforms;
using Microsoft.ML.Transforms.Image;

namespace Microsoft.ML.Distillation.Estimators.Labelling;

/// <summary>The columns that labelling reads and writes.</summary>
internal static class LabelColumns
{
    /// <summary>The stock step that adds the labels.</summary>
    /// <param name="classNames">The names of the keys.</param>
    /// <param name="map">Labels an image; called from several threads at once.</param>
    /// <param name="schema">The schema of the data, where it is known: ML.NET compares types of images by reference.</param>
    public static CustomMappingEstimator<Input, Output> Mapping(
        TransformsCatalog catalog, LabelWithTeacherOptions options, IReadOnlyList<string> classNames, Action<Input, Output> map, DataViewSchema? schema)
    {
        var input = SchemaDefinition.Create(typeof(Input));
        input[nameof(Input.Image)].ColumnName = options.ImageColumnName;
        if (schema is not null)
        {
            input[nameof(Input.Image)].ColumnType = schema.GetColumnOrNull(options.ImageColumnName)?.Type as ImageDataViewType
                ?? throw new ArgumentException($"The data have no column '{options.ImageColumnName}' of images; load them with mlContext.Transforms.LoadImages.");
        }

        var output = SchemaDefinition.Create(typeof(Output));
        SchemaDefinition.Column label = output[nameof(Output.Label)];
        label.ColumnName = options.LabelColumnName;
        label.ColumnType = new VectorDataViewType(new KeyDataViewType(typeof(uint), classNames.Count));
        var names = new VBuffer<ReadOnlyMemory<char>>(classNames.Count, [.. classNames.Select(name => name.AsMemory())]);
        label.AddAnnotation("KeyValues", names, new VectorDataViewType(TextDataViewType.Instance, classNames.Count));
        output[nameof(Output.Boxes)].ColumnName = options.BoundingBoxColumnName;
        output[nameof(Output.Scores)].ColumnName = options.LabelScoreColumnName;
        return catalog.CustomMapping(map, contractName: null, input, output);
    }

    /// <summary>What is read.</summary>
    internal sealed class Input
    {
        [AnySizeImage]
        public MLImage? Image { get; set; }
    }

    /// <summary>What is written.</summary>
    internal sealed class Output
    {
        public VBuffer<uint> Label { get; set; }

        public VBuffer<float> Boxes { get; set; }

        public VBuffer<float> Scores { get; set; }
    }
}
