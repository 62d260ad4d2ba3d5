using System.Text.Json;
using System.Text.Json.Serialization;

namespace Microsoft.ML.Distillation.Detectors.Weights;

/// <summary>
/// What a network's parameters were before it was trained: a model's file carries it, so that one can tell what is in it and under
/// which terms.
/// </summary>
/// <param name="File">The file's name.</param>
/// <param name="Sha256">Its SHA-256, 64 hexadecimal digits.</param>
internal sealed record WeightsOrigin(string File, string Sha256)
{
    private static readonly JsonSerializerOptions Options = new() { DefaultIgnoreCondition = JsonIgnoreCondition.WhenWritingNull };

    /// <summary>Who made them, where that is known.</summary>
    public string? Source { get; init; }

    /// <summary>The terms, where they are known.</summary>
    public string? License { get; init; }

    /// <summary>As JSON.</summary>
    public string ToJson() => JsonSerializer.Serialize(this, Options);

    /// <summary>From JSON; null where the text is none, or of another version.</summary>
    public static WeightsOrigin? FromJson(string? json)
    {
        try
        {
            if (json is null) return null;
            return JsonSerializer.Deserialize<WeightsOrigin>(json, Options) is { File: { }, Sha256: { } } read ? read : null;
        }
        catch (JsonException)
        {
            return null;
        }
    }

    /// <summary>In one line: the file, its hash, its maker and terms.</summary>
    public override string ToString()
        => string.Join("; ", new[] { File, $"SHA-256 {Sha256}", Source, License }.Where(part => part is not null));
}
