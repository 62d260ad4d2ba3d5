using System.Diagnostics;
using System.Globalization;
using System.Text;
using System.Text.Json;
using System.Text.Json.Nodes;
using Microsoft.ML.Distillation.Files;
using TorchSharp.Modules;

namespace Microsoft.ML.Distillation.Tool.Runs;

/// <summary>
/// Takes down each epoch: a line of metrics.csv and of metrics.jsonl, and TensorBoard's events. AP is a fraction in all of them. A run that
/// goes on keeps the lines of the epochs before.
/// </summary>
/// <param name="path">Where the two files are, without their endings.</param>
/// <param name="events">The folder of TensorBoard's events.</param>
/// <param name="next">Is told of every report too.</param>
internal sealed class EpochLog(string path, string events, IProgress<TrainingProgress> next) : IProgress<TrainingProgress>, IDisposable
{
    private static readonly string[] First = ["epoch", "step", "seconds", "loss", "ap", "ap50", "learning_rate", "images_per_second"];

    private readonly List<JsonObject> _epochs = [];
    private readonly long _started = Stopwatch.GetTimestamp();
    private double _before;
    private SummaryWriter? _events;
    private bool _begun;

    /// <summary>Whether training has made a step.</summary>
    public bool HasBegun { get; private set; }

    /// <inheritdoc/>
    public void Report(TrainingProgress value)
    {
        HasBegun = true;
        next.Report(value);
        if (!value.EpochEnd) return;
        if (!_begun) Begin(value.Epoch);
        _epochs.Add(Line(value));
        Write();
        foreach ((string name, JsonNode? number) in _epochs[^1])
        {
            if (number is null || name is "epoch" or "step") continue;
            _events!.add_scalar(name.Replace("loss/", "losses/", StringComparison.Ordinal), (float)number.GetValue<double>(), value.Step);
        }
    }

    /// <inheritdoc/>
    public void Dispose() => _events = null;

    private void Begin(int epoch)
    {
        _begun = true;
        Directory.CreateDirectory(events);
        _events = TorchSharp.torch.utils.tensorboard.SummaryWriter(events);
        if (!File.Exists($"{path}.jsonl")) return;
        // A line that a killed run left half written is of an epoch that is trained anew.
        foreach (string line in File.ReadLines($"{path}.jsonl"))
        {
            if (Parsed(line) is { } known && known["epoch"] is { } number && number.GetValue<int>() < epoch) _epochs.Add(known);
        }

        _before = _epochs.Count > 0 ? _epochs[^1]["seconds"]?.GetValue<double>() ?? 0 : 0;
    }

    private JsonObject Line(TrainingProgress value)
    {
        var line = new JsonObject
        {
            ["epoch"] = value.Epoch,
            ["step"] = value.Step,
            ["seconds"] = Math.Round(_before + Stopwatch.GetElapsedTime(_started).TotalSeconds, 1),
            ["loss"] = Rounded(value.Loss),
            ["ap"] = value.ValidationAveragePrecision is { } ap ? Rounded(ap) : null,
            ["ap50"] = value.ValidationAveragePrecision50 is { } ap50 ? Rounded(ap50) : null,
            ["learning_rate"] = Rounded(value.LearningRate),
            ["images_per_second"] = Rounded(value.ImagesPerSecond),
        };
        foreach ((string term, double loss) in value.Losses) line[$"loss/{term}"] = Rounded(loss);
        return line;
    }

    private void Write()
    {
        string[] columns = [.. First, .. _epochs.SelectMany(epoch => epoch.Select(entry => entry.Key)).Except(First).Distinct()];
        var csv = new StringBuilder(string.Join(',', columns)).Append('\n');
        foreach (JsonObject epoch in _epochs)
            csv.AppendJoin(',', columns.Select(column => epoch[column]?.ToJsonString() ?? "")).Append('\n');
        AtomicFile.Write($"{path}.csv", Encoding.UTF8.GetBytes(csv.ToString()));
        AtomicFile.Write($"{path}.jsonl", Encoding.UTF8.GetBytes(string.Concat(_epochs.Select(epoch => epoch.ToJsonString() + "\n"))));
    }

    private static JsonObject? Parsed(string line)
    {
        try
        {
            return JsonNode.Parse(line) as JsonObject;
        }
        catch (JsonException)
        {
            return null;
        }
    }

    private static double Rounded(double value)
        => double.IsFinite(value) ? double.Parse(value.ToString("G6", CultureInfo.InvariantCulture), CultureInfo.InvariantCulture) : 0;
}
