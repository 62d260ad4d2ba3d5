using System.Text.Json;

namespace Microsoft.ML.Distillation;

/// <summary>How long a model takes for an image on a device, as it was measured there: a report on another machine shows it.</summary>
public sealed class DeviceTiming
{
    private DeviceTiming()
    {
    }

    /// <summary>The name of the model's file.</summary>
    public string Model { get; private init; } = "";

    /// <summary>The size of that file in bytes; 0 where it is not known.</summary>
    public long Bytes { get; private init; }

    /// <summary>The name of the device.</summary>
    public string Device { get; private init; } = "";

    /// <summary>Its operating system and processor; empty where they are not known.</summary>
    public string Platform { get; private init; } = "";

    /// <summary>The median time for an image in milliseconds, from its pixels to its boxes.</summary>
    public double Milliseconds { get; private init; }

    /// <summary>The time in milliseconds within which 95 % of the images are done; <see langword="null"/> where it is not known.</summary>
    public double? Milliseconds95 { get; private init; }

    /// <summary>Reads a timing.</summary>
    /// <param name="path">
    /// A json file with an object of <c>model</c>, <c>device</c> and <c>milliseconds</c>, and perhaps <c>bytes</c>, <c>system</c> and
    /// <c>milliseconds95</c>.
    /// </param>
    /// <exception cref="FileNotFoundException">There is no such file.</exception>
    /// <exception cref="FormatException">It is no such file; the message says what is wrong.</exception>
    public static DeviceTiming Read(string path)
    {
        ArgumentException.ThrowIfNullOrEmpty(path);
        if (!File.Exists(path)) throw new FileNotFoundException($"There is no file of a timing '{path}'.", path);
        try
        {
            using JsonDocument json = JsonDocument.Parse(File.ReadAllBytes(path));
            JsonElement root = json.RootElement;
            if (root.ValueKind != JsonValueKind.Object) throw Wrong("it is no object");
            return new DeviceTiming
            {
                Model = Text("model") ?? throw Wrong("it has no text 'model'"),
                Device = Text("device") ?? throw Wrong("it has no text 'device'"),
                Platform = Text("system") ?? "",
                Bytes = (long)(Number("bytes") ?? 0),
                Milliseconds = Number("milliseconds") ?? throw Wrong("it has no number 'milliseconds' above 0"),
                Milliseconds95 = Number("milliseconds95"),
            };

            string? Text(string name)
                => root.TryGetProperty(name, out JsonElement value) && value.ValueKind == JsonValueKind.String ? value.GetString() : null;

            double? Number(string name) => root.TryGetProperty(name, out JsonElement value) && value.ValueKind == JsonValueKind.Number
                && value.TryGetDouble(out double number) && number > 0 && double.IsFinite(number) ? number : null;
        }
        catch (JsonException e)
        {
            throw Wrong($"it is no json ({e.Message})", e);
        }

        FormatException Wrong(string why, Exception? inner = null) => new($"'{path}' is no timing of a model: {why}.", inner);
    }
}
