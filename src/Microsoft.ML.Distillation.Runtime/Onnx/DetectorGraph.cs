using System.Globalization;
using System.Text.Json;
using Microsoft.ML.Distillation.Files;

namespace Microsoft.ML.Distillation.Onnx;

/// <summary>
/// What an exported detector's ONNX file looks like from outside: inputs, outputs, metadata. Touches no libtorch.
/// </summary>
internal static class DetectorGraph
{
    /// <summary>Input, uint8 [1,3·height·width]: the image as RGB, rows from the top.</summary>
    public const string Pixels = "pixels";

    /// <summary>Input, int64 [1,2]: height and width of the image.</summary>
    public const string Size = "size";

    /// <summary>Input of the plain form, float [1,3,H,W]: the image at the network's size, RGB, 0 to 1.</summary>
    public const string Images = "images";

    /// <summary>Output, float [1,K,4]: x0 y0 x1 y1, in pixels of the image, or in shares of it (0 to 1) in the plain form.</summary>
    public const string Boxes = "boxes";

    /// <summary>Output, float [1,K]: scores, best first.</summary>
    public const string Scores = "scores";

    /// <summary>Output, int64 [1,K]: class ids, 0-based, into the class names.</summary>
    public const string Classes = "classes";

    /// <summary>Metadata: the class names as a JSON list.</summary>
    public const string NamesKey = "names";

    /// <summary>Metadata: the architecture as JSON, from which the network can be rebuilt.</summary>
    public const string ArchitectureKey = "ml-distillation.detector";

    /// <summary>Metadata: where the network begins and ends inside the graph, from which the plain form is cut.</summary>
    public const string PlainKey = "ml-distillation.plain";

    /// <summary>Metadata of the raw form alone: how detections are chosen among its boxes, as JSON.</summary>
    public const string RawKey = "ml-distillation.raw";

    /// <summary>Metadata of the raw form alone: the number of learnt parameters, some of which it holds in another shape.</summary>
    public const string ParametersKey = "ml-distillation.parameters";

    /// <summary>Metadata: the bits that the layers compute with, as JSON; absent for full precision.</summary>
    public const string PrecisionKey = "ml-distillation.precision";

    /// <summary>
    /// Metadata, beside the precision: the names of the layers that predict and were left in full precision, as a JSON list.
    /// </summary>
    public const string SparedKey = "ml-distillation.full-precision-layers";

    /// <summary>
    /// Metadata: the file that the parameters started from before any training, as JSON: its name, hash, source and license; absent where
    /// they were random.
    /// </summary>
    public const string WeightsKey = "ml-distillation.weights";

    /// <summary>What the names of parameters end with that say what a layer's integer weights are worth.</summary>
    public const string WeightScale = "weight_scale";

    /// <summary>What the names of parameters end with that say what the integers of a layer's input are worth.</summary>
    public const string InputScale = "input_scale";

    /// <summary>Whether a parameter only says what the integers of another are worth.</summary>
    public static bool IsScale(string name)
        => name.EndsWith($".{WeightScale}", StringComparison.Ordinal) || name.EndsWith($".{InputScale}", StringComparison.Ordinal);

    /// <summary>The learnt parameters: those of the state dict, without the running statistics of batch normalisation.</summary>
    public static long CountParameters(OnnxModelFile model)
        => model.Metadata.TryGetValue(ParametersKey, out string? said)
            && long.TryParse(said, NumberStyles.None, CultureInfo.InvariantCulture, out long count)
            ? count
            : model.Parameters().Where(p => !IsConstant(p.Key)).Sum(p => (long)p.Value.Values.Length)
            + model.Integers().Sum(p => (long)p.Value.Values.Length)
            + model.Model.Graph.Initializer.Where(t => t.DataType == (int)Proto.TensorProto.Types.DataType.Float16 && !IsConstant(t.Name))
                .Sum(t => t.RawData.Length / 2L);

    /// <summary>Whether the file was made by this library.</summary>
    public static bool IsDetector(OnnxModelFile model)
        => model.Metadata.ContainsKey(ArchitectureKey) && model.Metadata.ContainsKey(NamesKey);

    /// <summary>Whether the file is the plain form, which takes an image at the network's size.</summary>
    public static bool IsPlain(OnnxModelFile model) => model.Model.Graph.Input.Any(i => i.Name == Images);

    /// <summary>The classes that the detector knows, in the order of their ids.</summary>
    /// <param name="source">Where the model comes from, as the subject of a message.</param>
    /// <exception cref="FormatException">The model has no class names, or they cannot be read.</exception>
    public static IReadOnlyList<string> ClassNames(OnnxModelFile model, string source = "The ONNX model")
    {
        string why;
        try
        {
            if (!model.Metadata.TryGetValue(NamesKey, out string? json))
                throw new FormatException($"{source} has no class names (metadata '{NamesKey}').");
            if (JsonSerializer.Deserialize<string[]>(json) is { Length: > 0 } names && names.All(name => name is not null)) return names;
            why = "they are no list of names";
        }
        catch (JsonException e)
        {
            why = ShortText.Of(e.Message);
        }

        throw new FormatException($"{source} has class names that cannot be read (metadata '{NamesKey}'): {why}.");
    }

    /// <summary>An entry of the metadata that is JSON; null where there is none.</summary>
    /// <exception cref="FormatException">It is no JSON, or of something else.</exception>
    public static T? Read<T>(OnnxModelFile model, string key) where T : class
    {
        try
        {
            return model.Metadata.TryGetValue(key, out string? json) ? JsonSerializer.Deserialize<T>(json) : null;
        }
        catch (JsonException e)
        {
            throw new FormatException($"The ONNX model's metadata '{key}' cannot be read.", e);
        }
    }

    private static bool IsConstant(string name)
        => name.StartsWith("const_", StringComparison.Ordinal)
        || name.EndsWith(".running_mean", StringComparison.Ordinal)
        || name.EndsWith(".running_var", StringComparison.Ordinal)
        || IsScale(name);
}
