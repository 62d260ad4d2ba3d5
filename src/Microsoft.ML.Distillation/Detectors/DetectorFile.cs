using System.Text.Json;
using System.Text.Json.Serialization;
using Microsoft.ML.Distillation.Detectors.Quantization;
using Microsoft.ML.Distillation.Detectors.Weights;
using Microsoft.ML.Distillation.Files;
using Microsoft.ML.Distillation.Images;
using Microsoft.ML.Distillation.Model;
using Microsoft.ML.Distillation.Onnx;
using Microsoft.ML.Distillation.Onnx.Proto;
using TorchSharp;
using static TorchSharp.torch;

namespace Microsoft.ML.Distillation.Detectors;

/// <summary>
/// Detectors as files. ONNX is the only format: the graph runs anywhere, and its metadata (the architecture) and its
/// parameters (the state dict under its own names) give the network back for teaching and further training.
/// </summary>
internal static class DetectorFile
{
    /// <summary>Exports a detector, from the raw bytes of an image of any size to boxes in its pixels.</summary>
    public static OnnxModelFile Export(Detector detector)
    {
        detector.eval();
        using var scope = NewDisposeScope();
        using IDisposable frozen = no_grad();
        var graph = new GraphBuilder();
        ImageSize input = detector.InputSize;
        graph.Input(DetectorGraph.Pixels, TensorProto.Types.DataType.Uint8, 1, "bytes");
        graph.Input(DetectorGraph.Size, TensorProto.Types.DataType.Int64, 1, 2);
        string image = ImagePreprocessing.Write(graph, DetectorGraph.Pixels, DetectorGraph.Size, input.Width, input.Height);
        DetectionValues found = detector.Write(graph, image);
        string boxes = ImagePreprocessing.WriteBoxesToPixels(graph, found.Boxes, DetectorGraph.Size);
        graph.Output(DetectorGraph.Boxes, boxes, TensorProto.Types.DataType.Float, 1, "detections", 4);
        graph.Output(DetectorGraph.Scores, found.Scores, TensorProto.Types.DataType.Float, 1, "detections");
        graph.Output(DetectorGraph.Classes, found.Classes, TensorProto.Types.DataType.Int64, 1, "detections");
        return new OnnxModelFile(graph.Build(
        [
            .. About(detector),
            new(DetectorGraph.NamesKey, JsonSerializer.Serialize(detector.ClassNames)),
            new(DetectorGraph.PlainKey, new PlainForm(image, found.Boxes, input.Width, input.Height).ToJson()),
        ]));
    }

    /// <summary>What a file says of a network, from which <see cref="Build"/> makes it again.</summary>
    public static Dictionary<string, string> About(Detector detector)
    {
        var about = new Dictionary<string, string> { [DetectorGraph.ArchitectureKey] = detector.Describe() };
        if (detector.Precision is { } precision)
        {
            about[DetectorGraph.PrecisionKey] = precision.ToJson();
            about[DetectorGraph.SparedKey] = JsonSerializer.Serialize(detector.SparedLayers);
        }

        if (detector.Weights is { } origin) about[DetectorGraph.WeightsKey] = origin.ToJson();
        return about;
    }

    /// <summary>Rebuilds a detector from its file, in evaluation mode, on the CPU.</summary>
    /// <exception cref="FormatException">The file was not made by this library, or a parameter is missing or of another shape.</exception>
    public static Detector Load(OnnxModelFile model)
    {
        if (!DetectorGraph.IsDetector(model))
            throw new FormatException("The ONNX model was not made by this library: it does not say how to rebuild the network.");
        if (RawForm.Is(model)) throw new FormatException(
            "The ONNX model is the raw form, whose layers are written for other runtimes: give the one that it was exported from.");
        if (HalfPrecision.Is(model)) throw new FormatException(
            "The ONNX model is in half precision, from which nothing is trained further: give the one that it was exported from.");
        Detector? detector = null;
        try
        {
            detector = Build(model.Metadata[DetectorGraph.ArchitectureKey], model.Metadata, model.StoredValues());
            Fill(detector, model);
            return detector;
        }
        catch (Exception e)
        {
            detector?.Dispose();
            if (!DetectorDescription.IsOfTheFile(e)) throw;
            throw new FormatException($"The ONNX model's network cannot be rebuilt: {ShortText.Of(e.Message)}", e);
        }
    }

    private static void Fill(Detector detector, OnnxModelFile model)
    {
        using var scope = NewDisposeScope();
        using IDisposable frozen = no_grad();
        IReadOnlySet<string> restored = QuantizedParameters.Restore(detector, model);
        IReadOnlyDictionary<string, OnnxTensor> parameters = model.Parameters();
        foreach ((string name, Tensor tensor) in detector.state_dict())
        {
            if (tensor.dtype != ScalarType.Float32 || restored.Contains(name)) continue;
            if (!parameters.TryGetValue(name, out OnnxTensor? stored))
                throw new FormatException($"The ONNX model lacks the parameter '{ShortText.Of(name)}' of the network that it describes.");
            if (!tensor.shape.AsSpan().SequenceEqual(stored.Shape.ToArray()))
            {
                throw new FormatException($"The ONNX model's parameter '{ShortText.Of(name)}' has the shape "
                    + $"{ShortText.Of([.. stored.Shape])}, "
                    + $"the network that it describes wants [{string.Join(',', tensor.shape)}].");
            }

            tensor.copy_(torch.tensor(stored.Values, tensor.shape));
        }

        detector.eval();
    }

    /// <summary>The network of a description, with the precision and the origin that metadata name.</summary>
    /// <param name="mostValues">The parameters that there are for it.</param>
    public static Detector Build(string description, IReadOnlyDictionary<string, string> metadata, double mostValues)
    {
        Detector detector = DetectorFactory.FromDescription(description, mostValues);
        detector.Weights = WeightsOrigin.FromJson(metadata.GetValueOrDefault(DetectorGraph.WeightsKey));
        if (metadata.TryGetValue(DetectorGraph.PrecisionKey, out string? precision))
            detector.LowerPrecision(LowPrecision.FromJson(precision), Spared(metadata, detector));
        return detector;
    }

    private static IReadOnlyList<string> Spared(IReadOnlyDictionary<string, string> metadata, Detector detector)
    {
        if (!metadata.TryGetValue(DetectorGraph.SparedKey, out string? json)) return detector.PredictionLayersOfOldModels;
        try
        {
            return JsonSerializer.Deserialize<string[]>(json)?.Intersect(detector.PredictionLayers).ToArray() ?? [];
        }
        catch (JsonException e)
        {
            throw new FormatException($"The model's list of layers in full precision cannot be read: {ShortText.Of(e.Message)}", e);
        }
    }
}

/// <summary>Rebuilds detectors from their descriptions.</summary>
internal static class DetectorFactory
{
    /// <summary>A detector with fresh weights, of the architecture that <see cref="Detector.Describe"/> gave.</summary>
    /// <param name="mostValues">
    /// The parameters that there are for it: a description that asks for many more is refused before room is made for them.
    /// </param>
    /// <exception cref="FormatException">The text is no description of a detector that this version knows.</exception>
    public static Detector FromDescription(string json, double mostValues = double.PositiveInfinity)
    {
        ArgumentNullException.ThrowIfNull(json);
        JsonDocument document;
        try
        {
            document = JsonDocument.Parse(json);
        }
        catch (JsonException e)
        {
            throw new FormatException($"The detector's description is no JSON: {ShortText.Of(e.Message)}", e);
        }

        using (document) return Built(() => Of(document.RootElement, mostValues));
    }

    private static Detector Of(JsonElement root, double mostValues)
    {
        if (root.ValueKind == JsonValueKind.Object)
        {
            if (root.TryGetProperty(FasterRcnnConfig.Family, out JsonElement config))
                return new FasterRcnn(DetectorDescription.Checked(FasterRcnnConfig.FromJson(config), mostValues), mostValues);
            if (root.TryGetProperty(OneStageConfig.Family, out config))
                return new OneStageDetector(DetectorDescription.Checked(OneStageConfig.FromJson(config), mostValues));
        }

        throw new FormatException("The description is of no family of detectors that this version knows.");
    }

    /// <summary>A network whose parts may contradict one another, in a description that was damaged or forged.</summary>
    private static Detector Built(Func<Detector> build)
    {
        try
        {
            return build();
        }
        catch (Exception e) when (e is ArgumentException or InvalidOperationException or NotSupportedException or ArithmeticException
            or KeyNotFoundException or IndexOutOfRangeException or System.Runtime.InteropServices.ExternalException)
        {
            throw new FormatException($"The detector's description is of no network that can be built: {ShortText.Of(e.Message)}", e);
        }
    }
}

/// <summary>A detector's configuration as the text that an exported model carries: JSON, under the name of the detector's family.</summary>
internal static class ConfigJson
{
    private static readonly JsonSerializerOptions Options = new() { Converters = { new JsonStringEnumConverter() } };

    /// <summary>Writes a configuration.</summary>
    public static string Write<T>(string family, T config)
        => JsonSerializer.Serialize(new Dictionary<string, T> { [family] = config }, Options);

    /// <summary>Reads what stands under the family's name.</summary>
    /// <exception cref="FormatException">A part is missing or of the wrong kind.</exception>
    public static T Read<T>(JsonElement json)
    {
        try
        {
            return json.Deserialize<T>(Options) ?? throw new FormatException("The detector's description is empty.");
        }
        catch (Exception e) when (e is JsonException or ArgumentException or InvalidOperationException or NotSupportedException)
        {
            throw new FormatException($"The detector's description cannot be read: {ShortText.Of(e.Message)}", e);
        }
    }
}
