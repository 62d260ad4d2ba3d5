using Microsoft.ML.Data;
using Microsoft.ML.Distillation.Onnx;
using Microsoft.ML.Distillation.Rows;
using Microsoft.ML.Runtime;
using Microsoft.ML.Transforms.Image;
using Microsoft.ML.Transforms.Onnx;

namespace Microsoft.ML.Distillation.Model;

/// <summary>
/// Builds the chain of ML.NET's own transformers that runs an exported detector: image to bytes and size, the ONNX graph,
/// class ids to keys with names. Temporary columns have names that no user has, and are dropped at the end.
/// </summary>
internal static class StockTransformers
{
    /// <summary>Builds the chain for data of the given schema.</summary>
    /// <param name="networkFile">The exported network, its inputs and outputs under <see cref="PrivateColumns"/>' names; must stay as long
    /// as the chain.</param>
    public static TransformerChain<ITransformer> Around(
        TransformsCatalog catalog, string networkFile, IReadOnlyList<string> classNames, DetectorColumns columns, DataViewSchema schema)
    {
        var links = new List<ITransformer>();
        IDataView view = new SchemaView(schema);
        Append(catalog.CopyColumns(PrivateColumns.Image, columns.Image));

        // The estimator compares image types by reference, so it must be shown the very instance of the incoming column.
        var input = SchemaDefinition.Create(typeof(ImagePixels.Input));
        input[PrivateColumns.Image].ColumnType = (ImageDataViewType)view.Schema[PrivateColumns.Image].Type;
        Append(catalog.CustomMapping<ImagePixels.Input, ImagePixels.Output>(ImagePixels.Map, ImagePixels.ContractName, input));

        string[] inputs = [PrivateColumns.Pixels, PrivateColumns.Size];
        string[] outputs = [PrivateColumns.Boxes, PrivateColumns.Scores, PrivateColumns.Classes];
        Append(ApplyNetwork(catalog, new OnnxOptions { InputColumns = inputs, OutputColumns = outputs, ModelFile = networkFile }));

        Append(catalog.Conversion.MapValue(PrivateColumns.ClassName,
            classNames.Select((name, id) => KeyValuePair.Create((long)id, name)), PrivateColumns.Classes));
        Append(catalog.Conversion.MapValueToKey(columns.PredictedLabel, PrivateColumns.ClassName, keyData: KeyData.Of(classNames)));
        Append(catalog.CopyColumns(columns.Score, PrivateColumns.Scores));
        Append(catalog.CopyColumns(columns.PredictedBoundingBoxes, PrivateColumns.Boxes));
        Append(catalog.DropColumns([PrivateColumns.Image, .. inputs, .. outputs, PrivateColumns.ClassName]));
        return new TransformerChain<ITransformer>([.. links]);

        void Append<T>(IEstimator<T> estimator) where T : class, ITransformer
        {
            T link = estimator.Fit(view);
            view = link.Transform(view);
            links.Add(link);
        }
    }

    /// <summary>
    /// The context's GPU is where training runs; whether ONNX Runtime can use it too depends on which of its packages the
    /// application has. Where it cannot, the fitted model works on the CPU rather than be lost at the end of its training.
    /// </summary>
    private static OnnxScoringEstimator ApplyNetwork(TransformsCatalog catalog, OnnxOptions options)
    {
        OnnxRuntimeLibrary.Require();
        try
        {
            return catalog.ApplyOnnxModel(options);
        }
        catch (Exception e) when (EnvironmentSettings.Of(EnvironmentSettings.EnvironmentOf(catalog)).GpuDeviceId is not null)
        {
            using IChannel channel = EnvironmentSettings.EnvironmentOf(catalog).Register(nameof(DetectorTransformer)).Start("Loading");
            channel.Warning(MessageSensitivity.None,
                $"ONNX Runtime cannot use the GPU, so the fitted detector runs on the CPU: {e.Message}");
            return new MLContext().Transforms.ApplyOnnxModel(options);
        }
    }
}

/// <summary>The names of the columns that a fitted detector reads and writes.</summary>
/// <param name="Image">In: the image (<see cref="Microsoft.ML.Data.MLImage"/>).</param>
/// <param name="PredictedLabel">Out: the class of each detection, a vector of keys with the class names as values.</param>
/// <param name="Score">Out: the score of each detection, 0 to 1, best first.</param>
/// <param name="PredictedBoundingBoxes">Out: x0 y0 x1 y1 of each detection in pixels of the image.</param>
internal sealed record DetectorColumns(
    string Image = "Image",
    string PredictedLabel = "PredictedLabel",
    string Score = "Score",
    string PredictedBoundingBoxes = "PredictedBoundingBoxes");

/// <summary>
/// The names of the columns that exist only inside a fitted detector. The network's inputs and outputs carry them there, for
/// ML.NET binds a network by its names, and a user's own columns may well be called "boxes" or "size".
/// </summary>
internal static class PrivateColumns
{
    /// <summary>What every private name begins with.</summary>
    public const string Prefix = "ml_distillation.";

    public const string Image = Prefix + "image";
    public const string Pixels = Prefix + DetectorGraph.Pixels;
    public const string Size = Prefix + DetectorGraph.Size;
    public const string Boxes = Prefix + DetectorGraph.Boxes;
    public const string Scores = Prefix + DetectorGraph.Scores;
    public const string Classes = Prefix + DetectorGraph.Classes;
    public const string ClassName = Prefix + "name";
    public const string ImagePath = Prefix + "path";
    public const string ImageFolder = Prefix + "folder";
    public const string MaxPixels = Prefix + "limit";
    public const string Upright = Prefix + "upright";

    /// <summary>The private name of a network's input or output.</summary>
    public static string Of(string name) => Prefix + name;

    /// <summary>The network's own name again.</summary>
    public static string Original(string name) => name.StartsWith(Prefix, StringComparison.Ordinal) ? name[Prefix.Length..] : name;
}

/// <summary>A data view of one text column, from which ML.NET takes the values of keys in order.</summary>
internal static class KeyData
{
    /// <summary>The view that holds these values.</summary>
    public static IDataView Of(IReadOnlyList<string> values)
        => new MLContext().Data.LoadFromEnumerable(values.Select(value => new Row { Value = value }).ToArray());

    private sealed class Row
    {
        public string Value { get; set; } = "";
    }
}
