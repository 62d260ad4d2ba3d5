using System.Globalization;
using System.Text.Json;
using System.Text.Json.Serialization;
using Microsoft.ML.Distillation.Tool.Models;

namespace Microsoft.ML.Distillation.Tool.Labelling;

/// <summary>A part of the work: of all images every <paramref name="Count"/>th, beginning with number <paramref name="Number"/>.</summary>
/// <param name="Number">From 1 to <paramref name="Count"/>.</param>
/// <param name="Count">The number of parts.</param>
/// <param name="Source">Where it was said, for messages; empty where it was not.</param>
internal sealed record Shard(int Number, int Count, string Source = "")
{
    /// <summary>All images.</summary>
    public static readonly Shard Whole = new(1, 1);

    // In each pair the process's number, from 0, and the number of processes. SLURM's arrays first: their tasks have a SLURM_PROCID too.
    private static readonly (string Rank, string Size)[] Variables =
    [
        ("RANK", "WORLD_SIZE"), ("OMPI_COMM_WORLD_RANK", "OMPI_COMM_WORLD_SIZE"), ("SLURM_ARRAY_TASK_ID", "SLURM_ARRAY_TASK_COUNT"),
        (SlurmNumber, "SLURM_NTASKS"), ("PMI_RANK", "PMI_SIZE"),
    ];

    private const string KubernetesIndex = "JOB_COMPLETION_INDEX";

    // A plain batch script has this number 0 too, without a number of tasks: alone it says nothing.
    private const string SlurmNumber = "SLURM_PROCID";

    /// <summary>A shard as it is written: 2/8 is the second of eight.</summary>
    /// <exception cref="FormatException">It is written otherwise.</exception>
    public static Shard Parse(string text)
    {
        string[] parts = text.Split('/');
        return parts.Length == 2 && Whole32(parts[0]) is int number && Whole32(parts[1]) is int count && number >= 1 && number <= count
            ? new Shard(number, count, "--shard")
            : throw new FormatException($"A shard is written i/n with i from 1 to n, as 2/8, not '{text}'.");
    }

    /// <summary>
    /// The shard that the environment of a cluster's job names, or all images. Where a job knows its index alone, as Kubernetes' do, the
    /// number of shards must be given.
    /// </summary>
    /// <param name="count">The number of shards, where it is given.</param>
    /// <exception cref="FormatException">The variables are there, but they make no sense, or either index or number is missing; the message
    /// names them.</exception>
    public static Shard FromEnvironment(Func<string, string?> read, int? count)
    {
        foreach ((string rank, string size) in Variables)
        {
            if (read(rank) is not { Length: > 0 } index || read(size) is not { Length: > 0 } total) continue;
            return Of(rank, index, Whole32(total)
                ?? throw new FormatException($"The variable {size} is '{total}', which is no number of processes."), read, count);
        }

        string[] alone = [.. Indices.Where(name => read(name) is { Length: > 0 } index && (name, index) != (SlurmNumber, "0"))];
        return alone.Length > 0 ? OfIndex(alone, read, count)
            : count is null or 1 ? Whole
            : throw new FormatException($"--shards {count} does not say which of them this is: give --shard i/{count}, or set "
                + $"{string.Join(" or ", Indices)}.");
    }

    /// <summary>The names of the shard's images.</summary>
    public IEnumerable<string> Of(IEnumerable<string> names) => names.Where((_, i) => i % Count == Number - 1);

    private static IEnumerable<string> Indices => Variables.Select(pair => pair.Rank).Append(KubernetesIndex);

    /// <summary>The shard that variables name to which there is no number of processes.</summary>
    private static Shard OfIndex(string[] variables, Func<string, string?> read, int? count)
    {
        int total = count ?? throw new FormatException(
            $"{variables[0]} is set: say with --shards how many shards there are (or --shard 1/1 for all images).");
        Shard[] named = [.. variables.Select(name => Of(name, read(name)!, total, read, count))];
        return named.All(shard => shard.Number == named[0].Number)
            ? named[0]
            : throw new FormatException($"The variables {string.Join(" and ", variables)} name different shards: give --shard i/{total}.");
    }

    private static Shard Of(string variable, string index, int total, Func<string, string?> read, int? count)
    {
        // SLURM's arrays may begin with any number.
        int first = variable == "SLURM_ARRAY_TASK_ID" ? Whole32(read("SLURM_ARRAY_TASK_MIN") ?? "0") ?? 0 : 0;
        int number = (Whole32(index) ?? -1) - first + 1, shards = count ?? total;
        return number >= 1 && number <= shards
            ? new Shard(number, shards, variable)
            : throw new FormatException($"The variable {variable} is '{index}', which is none of {shards} shards.");
    }

    private static int? Whole32(string text) => int.TryParse(text, NumberStyles.None, CultureInfo.InvariantCulture, out int value) ? value
        : null;
}

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
    public static ShardRecord Parse(string line) => JsonSerializer.Deserialize<ShardRecord>(line, Options)
        ?? throw new JsonException("null");
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

    /// <summary>The setting with the score from which on a detection is a label, where no labelled images say how many are
    /// wanted.</summary>
    public const string LabelScore = "score of the teacher's opinion";

    /// <summary>Where images are, seen from the shards' folder: the two may move together.</summary>
    public static string PlaceOf(ImageList images, string shards) => Path.GetRelativePath(shards, images.Root).Replace('\\', '/');
}
