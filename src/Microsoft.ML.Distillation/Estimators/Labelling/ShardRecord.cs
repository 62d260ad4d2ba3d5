using System.Text.Json;
using System.Text.Json.Serialization;
using Microsoft.ML.Distillation.Data;

namespace Microsoft.ML.Distillation.Estimators.Labelling;

/// <summary>What is known of one image: a line of a shard's file.</summary>
internal sealed record ShardRecord
{
    private static readonly JsonSerializerOptions Options = new() { DefaultIgnoreCondition = JsonIgnoreCondition.WhenWritingNull };

    /// <summary>The image's name, as <c>ImageList</c> gives it.</summary>
    public required string File { get; init; }

    /// <summary>Its width in pixels.</summary>
    public int Width { get; init; }

    /// <summary>Its height in pixels.</summary>
    public int Height { get; init; }

    /// <summary>The class of each detection.</summary>
    public int[] Labels { get; init; } = [];

    /// <summary>The score of each detection.</summary>
    public float[] Scores { get; init; } = [];

    /// <summary>x0 y0 x1 y1 of each detection in pixels.</summary>
    public float[] Boxes { get; init; } = [];

    /// <summary>Why the image could not be read, if it could not.</summary>
    public string? Error { get; init; }

    /// <summary>The record as a line, without its end.</summary>
    public byte[] ToLine() => JsonSerializer.SerializeToUtf8Bytes(this, Options);

    /// <summary>The record in a line.</summary>
    /// <exception cref="JsonException">The line holds none.</exception>
    public static ShardRecord Parse(string line) => JsonSerializer.Deserialize<ShardRecord>(line, Options) ?? throw new JsonException("null");
}

/// <summary>The first line of a shard's file.</summary>
/// <param name="Shard">The number of the shard, from 1.</param>
/// <param name="Shards">The number of shards.</param>
/// <param name="Settings">All that must be equal for the work to go on, by name.</param>
/// <param name="Classes">The classes of the labels.</param>
/// <param name="PerImage">For each class the number of objects that a labelled image has in the mean.</param>
internal sealed record ShardHeader(int Shard, int Shards, Dictionary<string, string> Settings, string[] Classes, double[] PerImage)
{
    /// <summary>The setting that says where the images are, as <see cref="PlaceOf"/> gives it.</summary>
    public const string Images = "images";

    /// <summary>Where images are, seen from the shards' folder: the two may move together.</summary>
    public static string PlaceOf(ImageList images, string shards) => Path.GetRelativePath(shards, images.Root).Replace('\\', '/');
}
