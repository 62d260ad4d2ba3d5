using System.Text.Json;
using System.Text.Json.Serialization;

namespace Microsoft.ML.Distillation.Detectors;

/// <summary>A detector's configuration as the text that an exported model carries: JSON, under the name of the detector's family.</summary>
internal static class ConfigJson
{
    private static readonly JsonSerializerOptions Options = new() { Converters = { new JsonStringEnumConverter() } };

    /// <summary>Writes a configuration.</summary>
    public static string Write<T>(string family, T config) => JsonSerializer.Serialize(new Dictionary<string, T> { [family] = config }, Options);

    /// <summary>Reads what stands under the family's name.</summary>
    /// <exception cref="FormatException">A part is missing or of the wrong kind.</exception>
    public static T Read<T>(JsonElement json)
    {
        try
        {
            return json.Deserialize<T>(Options) ?? throw new FormatException("The detector's description is empty.");
        }
        catch (JsonException e)
        {
            throw new FormatException($"The detector's description cannot be read: {e.Message}", e);
        }
    }
}
