using Microsoft.ML.Data;
using Microsoft.ML.Distillation.Images;
using Microsoft.ML.Distillation.Rows;
using Microsoft.ML.Transforms;

namespace Microsoft.ML.Distillation.Model;

/// <summary>
/// The step of a pipeline that reads image files upright. Saved by its contract name; what it is told (folder and limit) comes to it in
/// columns, as ML.NET saves nothing else of a step like this.
/// </summary>
[CustomMappingFactoryAttribute(ContractName)]
internal sealed class UprightImages : CustomMappingFactory<UprightImages.Input, UprightImages.Output>
{
    /// <summary>The name under which a saved model asks for this step.</summary>
    public const string ContractName = "ML.Distillation.UprightImages";

    /// <summary>What the step reads.</summary>
    internal sealed class Input
    {
        /// <summary>The image's file; an empty text gives no image, as with ML.NET's own loader.</summary>
        [ColumnName(PrivateColumns.ImagePath)]
        public ReadOnlyMemory<char> Path { get; set; }

        /// <summary>The folder to which it is relative.</summary>
        [ColumnName(PrivateColumns.ImageFolder)]
        public ReadOnlyMemory<char> Folder { get; set; }

        /// <summary>How many pixels an image may have.</summary>
        [ColumnName(PrivateColumns.MaxPixels)]
        public long MaxPixels { get; set; }
    }

    /// <summary>What the step writes.</summary>
    internal sealed class Output
    {
        [AnySizeImage, ColumnName(PrivateColumns.Upright)]
        public MLImage? Image { get; set; }
    }

    /// <inheritdoc/>
    public override Action<Input, Output> GetMapping() => Map;

    /// <summary>The step itself; static, so that ML.NET stores nothing but the contract's name.</summary>
    public static void Map(Input input, Output output) => output.Image = input.Path.IsEmpty
        ? null
        : ImageFile.ReadMLImage(Path.Combine(input.Folder.ToString(), input.Path.ToString()), input.MaxPixels);
}

/// <summary>Makes the steps that read image files upright, of ML.NET's own and <see cref="UprightImages"/>.</summary>
internal sealed class UprightImageEstimator(TransformsCatalog catalog, string output, string input, string folder, long maxPixels)
    : IEstimator<ITransformer>
{
    /// <inheritdoc/>
    public ITransformer Fit(IDataView data)
    {
        if (data.Schema.GetColumnOrNull(input) is not { Type: TextDataViewType })
            throw new ArgumentException($"The data have no column '{input}' of text, the paths of the images.", nameof(data));
        var links = new List<ITransformer>();
        IDataView view = new SchemaView(data.Schema);
        Append(catalog.CopyColumns(PrivateColumns.ImagePath, input));
        Append(catalog.Expression(PrivateColumns.ImageFolder, $"x => \"{Escaped(folder)}\"", PrivateColumns.ImagePath));
        Append(catalog.Expression(PrivateColumns.MaxPixels, $"x => {maxPixels}L", PrivateColumns.ImagePath));
        var made = SchemaDefinition.Create(typeof(UprightImages.Output));
        new UprightColumn(input, folder, maxPixels).Annotate(made[PrivateColumns.Upright]);
        Append(catalog.CustomMapping<UprightImages.Input, UprightImages.Output>(
            UprightImages.Map, UprightImages.ContractName, outputSchemaDefinition: made));
        Append(catalog.CopyColumns(output, PrivateColumns.Upright));
        Append(catalog.DropColumns(
            PrivateColumns.ImagePath, PrivateColumns.ImageFolder, PrivateColumns.MaxPixels, PrivateColumns.Upright));
        return new TransformerChain<ITransformer>([.. links]);

        void Append<T>(IEstimator<T> estimator) where T : class, ITransformer
        {
            T link = estimator.Fit(view);
            view = link.Transform(view);
            links.Add(link);
        }
    }

    /// <inheritdoc/>
    public SchemaShape GetOutputSchema(SchemaShape inputSchema) => catalog.LoadImages(output, folder, input).GetOutputSchema(inputSchema);

    /// <summary>A text as ML.NET's expressions write it.</summary>
    private static string Escaped(string text)
        => string.Concat(text.Select(c => c is >= ' ' and < '\x7F' and not ('"' or '\\') ? c.ToString() : $"\\u{(int)c:X4}"));
}
