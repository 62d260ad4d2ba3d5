using System.Text.Json;

namespace Microsoft.ML.Distillation.Detectors;

/// <summary>Rebuilds detectors from their descriptions.</summary>
internal static class DetectorFactory
{
    /// <summary>A detector with fresh weights, of the architecture that <see cref="Detector.Describe"/> gave.</summary>
    /// <exception cref="FormatException">The text is no description of a detector that this version knows.</exception>
    public static Detector FromDescription(string json)
    {
        ArgumentNullException.ThrowIfNull(json);
        JsonDocument document;
        try
        {
            document = JsonDocument.Parse(json);
        }
        catch (JsonException e)
        {
            throw new FormatException($"The detector's description is no JSON: {e.Message}", e);
        }

        using (document)
        {
            if (document.RootElement.ValueKind == JsonValueKind.Object)
            {
                if (document.RootElement.TryGetProperty(FasterRcnnConfig.Family, out JsonElement config))
                    return new FasterRcnn(FasterRcnnConfig.FromJson(config));
                if (document.RootElement.TryGetProperty(OneStageConfig.Family, out config))
                    return new OneStageDetector(OneStageConfig.FromJson(config));
            }
        }

        throw new FormatException("The description is of no family of detectors that this version knows.");
    }
}
