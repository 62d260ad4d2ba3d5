using System.Text.Json;
using System.Text.Json.Serialization;

namespace Microsoft.ML.Distillation.Research;

/// <summary>Average precisions, 0 to 1; <see langword="null"/> where there is nothing to measure.</summary>
/// <param name="Voc07">PASCAL VOC 2007's at IoU 0.5, the paper's measure.</param>
/// <param name="Voc12">The same over all points.</param>
/// <param name="Ap50">COCO's at IoU 0.5.</param>
/// <param name="Ap75">COCO's at IoU 0.75.</param>
/// <param name="Ap">COCO's over IoU 0.5 to 0.95.</param>
internal sealed record PaperFigures(double? Voc07, double? Voc12, double? Ap50, double? Ap75, double? Ap)
{
    /// <summary>The figures of a measured model.</summary>
    public static PaperFigures Of(DetectionMetrics metrics) => new(
        Number(metrics.Voc07.MeanAveragePrecision), Number(metrics.Voc12.MeanAveragePrecision),
        Number(metrics.AveragePrecision50), Number(metrics.AveragePrecision75), Number(metrics.AveragePrecision));

    private static double? Number(double value) => double.IsNaN(value) ? null : value;
}

/// <summary>A row that is finished for a seed.</summary>
/// <param name="Row">The row's name.</param>
/// <param name="Milliseconds">The median time for an image through the exported network, on this machine's CPU.</param>
/// <param name="Test">On the images to measure on.</param>
/// <param name="Training">On the images learned from, where a table asks for it.</param>
/// <param name="Given">
/// Whether the model was given, so that it has neither this run's seed nor its schedule: it teaches and is started from in the row's name,
/// and is no row.
/// </param>
/// <param name="ReconstructionError">For a compressed network the mean over its layers of ‖W − Ŵ‖ / ‖W‖ before it was trained
/// further.</param>
internal sealed record PaperResult(
    string Row, int Seed, long Parameters, double Milliseconds, PaperFigures Test, PaperFigures? Training, double? ReconstructionError,
    bool Given = false);

/// <summary>The finished rows in a folder: one file, replaced after each row, that only runs of the same settings add to.</summary>
internal sealed class PaperResults
{
    private static readonly JsonSerializerOptions Json = new() { WriteIndented = true, PropertyNamingPolicy = JsonNamingPolicy.CamelCase };

    private readonly string _path;
    private readonly Content _content;

    /// <summary>Opens the file of a folder, or begins it.</summary>
    /// <exception cref="InvalidOperationException">The rows there are of other settings.</exception>
    /// <exception cref="FormatException">The file is damaged.</exception>
    public PaperResults(string folder, IReadOnlyDictionary<string, string> settings)
    {
        _path = Path.Combine(folder, "results.json");
        Content? saved = File.Exists(_path) ? Read(_path) : null;
        if (saved is null || (saved.Rows.Count == 0 && !HasTrained(folder)))
        {
            // At once: what is trained before the first row is finished has these settings too.
            Write(_path, _content = new Content(settings, []));
            return;
        }

        _content = saved;
        foreach (string name in _content.Settings.Keys.Union(settings.Keys))
        {
            (string? then, string? now) = (_content.Settings.GetValueOrDefault(name), settings.GetValueOrDefault(name));
            if (then == now) continue;
            throw new InvalidOperationException(
                $"'{_path}' holds rows of other settings: its {name} is {then ?? "not set"}, and now it is {now ?? "not set"}. Set it as "
                    + $"it was, or give another --output.");
        }
    }

    /// <summary>What all rows have in common.</summary>
    public IReadOnlyDictionary<string, string> Settings => _content.Settings;

    /// <summary>A row's result, once it is finished.</summary>
    public PaperResult? Find(string row, int seed)
        => _content.Rows.Find(result => result.Row == row && result.Seed == seed && !result.Given);

    /// <summary>The figures of the model that was given to teach, or to start from, in a row's name.</summary>
    public PaperResult? FindGiven(string row) => _content.Rows.Find(result => result.Row == row && result.Given);

    /// <summary>All seeds of a row, in their order.</summary>
    public IReadOnlyList<PaperResult> Of(string row)
        => [.. _content.Rows.Where(result => result.Row == row && !result.Given).OrderBy(result => result.Seed)];

    /// <summary>Adds a row, or puts it in the place of what it was.</summary>
    public void Put(PaperResult result)
    {
        _content.Rows.RemoveAll(old => old.Row == result.Row && old.Seed == result.Seed && old.Given == result.Given);
        _content.Rows.Add(result);
        Write(_path, _content);
    }

    /// <summary>Writes a file of these results' kind, beside its place and then renamed.</summary>
    public static void Write<T>(string path, T content) => Write(path, JsonSerializer.SerializeToUtf8Bytes(content, Json));

    /// <summary>Writes a file, beside its place and then renamed.</summary>
    public static void Write(string path, byte[] content)
    {
        Directory.CreateDirectory(Path.GetDirectoryName(Path.GetFullPath(path))!);
        File.WriteAllBytes(path + ".part", content);
        File.Move(path + ".part", path, overwrite: true);
    }

    /// <summary>Whether a run has left a model or a checkpoint, which are of its settings.</summary>
    private static bool HasTrained(string folder) => new[] { "models", "checkpoints" }
        .Select(name => Path.Combine(folder, name))
            .Any(part => Directory.Exists(part) && Directory.EnumerateFiles(part, "*", SearchOption.AllDirectories).Any());

    private static Content Read(string path)
    {
        try
        {
            return JsonSerializer.Deserialize<Content>(File.ReadAllBytes(path), Json) ?? throw new JsonException("it is empty");
        }
        catch (JsonException e)
        {
            throw new FormatException($"'{path}' cannot be read: {e.Message}", e);
        }
    }

    private sealed record Content(
        [property: JsonRequired] IReadOnlyDictionary<string, string> Settings, [property: JsonRequired] List<PaperResult> Rows);
}
