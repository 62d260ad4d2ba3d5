using System.Globalization;
using System.Text.Json;
using Microsoft.ML.Distillation.Detectors;
using Microsoft.ML.Distillation.Detectors.Weights;
using Microsoft.ML.Distillation.Files;
using TorchSharp;
using static TorchSharp.torch;

namespace Microsoft.ML.Distillation.Training;

/// <summary>
/// The checkpoint of a run: one file, replaced after each epoch, and where an image cannot be read in the middle of one, that only the
/// same run can take up again.
/// </summary>
internal sealed class Checkpoint
{
    /// <summary>The name of the file in the checkpoint folder.</summary>
    public const string FileName = "training.checkpoint";

    private const string Prefix = "setting.";
    private const string Weights = "weights";
    private const string Begun = "epoch";

    private readonly string _path;
    private readonly IReadOnlyDictionary<string, string> _settings;
    private readonly Detector _student;

    /// <param name="directory">The folder; made when the first checkpoint is written.</param>
    /// <param name="settings">All that must be equal for a run to continue another, by the name of the option.</param>
    /// <param name="student">The network, which the file describes.</param>
    public Checkpoint(string directory, IReadOnlyDictionary<string, string> settings, Detector student)
    {
        _path = Path.Combine(directory, FileName);
        (_settings, _student) = (settings, student);
    }

    /// <summary>Whether there is a checkpoint in this folder.</summary>
    public static bool IsIn(string? directory) => directory is not null && File.Exists(Path.Combine(directory, FileName));

    /// <summary>What the parameters of the run in this folder started from, if that is known.</summary>
    public static WeightsOrigin? WeightsIn(string? directory)
    {
        if (directory is null || !IsIn(directory)) return null;
        using SafetensorsFile file = Open(Path.Combine(directory, FileName));
        return WeightsOrigin.FromJson(file.Metadata.GetValueOrDefault(Weights));
    }

    /// <summary>The seed of the run in this folder, if there is one.</summary>
    public static int? SeedIn(string? directory)
    {
        if (directory is null || !IsIn(directory)) return null;
        using SafetensorsFile file = Open(Path.Combine(directory, FileName));
        string? text = file.Metadata.GetValueOrDefault(Prefix + nameof(TrainingOptions.Seed));
        return int.TryParse(text, CultureInfo.InvariantCulture, out int seed) ? seed : null;
    }

    /// <summary>Writes the state.</summary>
    public void Save(TrainingState state)
    {
        var metadata = _settings.ToDictionary(setting => Prefix + setting.Key, setting => setting.Value);
        metadata["step"] = state.Step.ToString(CultureInfo.InvariantCulture);
        metadata["best"] = JsonSerializer.Serialize(state.BestAp);
        metadata["history"] = JsonSerializer.Serialize(state.History);
        if (state.Begun is { } begun) metadata[Begun] = JsonSerializer.Serialize(begun);
        // Not a setting: what it started from is in the parameters, whatever the cache of the machine has that continues.
        if (state.Origin is { } origin) metadata[Weights] = origin.ToJson();
        foreach ((string key, string value) in DetectorFile.About(_student)) metadata[key] = value;
        using DisposeScope scope = NewDisposeScope();
        try
        {
            Dictionary<string, Tensor> tensors = state.Tensors();
            foreach ((string name, Tensor tensor) in state.Averaged()) tensors[name] = tensor;
            SafetensorsFile.Write(_path, tensors, metadata);
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            string last = File.Exists(_path) ? " The one before it is whole: once there is room, the same run goes on from there." : "";
            throw new IOException($"The checkpoint '{_path}' cannot be written: {e.Message}{last}", e);
        }
    }

    /// <summary>Takes up a saved state, if there is one.</summary>
    /// <returns>Whether there was one.</returns>
    /// <exception cref="InvalidOperationException">The checkpoint is of a run with other settings or data.</exception>
    /// <exception cref="FormatException">The file is damaged.</exception>
    public bool Resume(TrainingState state)
    {
        if (!File.Exists(_path)) return false;
        using SafetensorsFile file = Open(_path);
        foreach ((string name, string value) in _settings)
        {
            string? saved = file.Metadata.GetValueOrDefault(Prefix + name);
            if (saved != value)
            {
                throw new InvalidOperationException(
                    $"The checkpoint '{_path}' is of another run: its {name} is {Brief(saved ?? "not set", value)}, and now it is "
                    + $"{Brief(value, saved ?? "")}. "
                    + "Set these as they were to continue that run, or give another CheckpointDirectory, or delete the file.");
            }
        }

        using DisposeScope scope = NewDisposeScope();
        try
        {
            state.Load(
                file.Tensors.Keys.ToDictionary(name => name, file.Read),
                int.Parse(file.Metadata["step"], CultureInfo.InvariantCulture),
                JsonSerializer.Deserialize<double?>(file.Metadata["best"]),
                JsonSerializer.Deserialize<List<EpochSummary>>(file.Metadata["history"])
                    ?? throw new FormatException("it has no history."));
            state.Begun = file.Metadata.TryGetValue(Begun, out string? epoch) ? JsonSerializer.Deserialize<BegunEpoch>(epoch) : null;
        }
        catch (Exception e) when (e is FormatException or JsonException or KeyNotFoundException or OverflowException
            or ArgumentException or InvalidOperationException)
        {
            throw new FormatException($"The checkpoint '{_path}' is damaged: {ShortText.Of(e.Message)}", e);
        }

        state.Origin = WeightsOrigin.FromJson(file.Metadata.GetValueOrDefault(Weights));
        return true;
    }

    /// <summary>A setting, of a long one what stands where it begins to differ from another.</summary>
    private static string Brief(string setting, string other)
    {
        const int Longest = 2000, Around = 100;
        if (setting.Length <= Longest) return setting;
        int same = setting.AsSpan().CommonPrefixLength(other), from = Math.Max(0, same - Around);
        return $"…{setting[from..Math.Min(setting.Length, same + Around)]}…";
    }

    private static SafetensorsFile Open(string path)
        => WeightsFile.Open(path) as SafetensorsFile ?? throw new FormatException($"'{path}' is no checkpoint of a training.");
}
