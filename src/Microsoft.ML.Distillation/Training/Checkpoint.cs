using System.Buffers.Binary;
using System.Globalization;
using System.Text.Json;
using static TorchSharp.torch;

namespace Microsoft.ML.Distillation.Training;

/// <summary>The checkpoint of a run: one file, replaced after each epoch, that only the same run can take up again.</summary>
internal sealed class Checkpoint
{
    /// <summary>The name of the file in the checkpoint folder.</summary>
    public const string FileName = "training.checkpoint";

    private const string Prefix = "setting.";

    private readonly string _directory;
    private readonly string _path;
    private readonly IReadOnlyDictionary<string, string> _settings;

    /// <param name="directory">The folder; made when the first checkpoint is written.</param>
    /// <param name="settings">All that must be equal for a run to continue another, by the name of the option.</param>
    public Checkpoint(string directory, IReadOnlyDictionary<string, string> settings)
    {
        _directory = directory;
        _path = Path.Combine(directory, FileName);
        _settings = settings;
    }

    /// <summary>The seed of the run in this folder, if there is one.</summary>
    public static int? SeedIn(string? directory)
    {
        if (directory is null || !File.Exists(Path.Combine(directory, FileName))) return null;
        Dictionary<string, string> metadata = TensorFile.ReadMetadata(Path.Combine(directory, FileName));
        return int.TryParse(metadata.GetValueOrDefault(Prefix + nameof(TrainingOptions.Seed)), CultureInfo.InvariantCulture, out int seed) ? seed : null;
    }

    /// <summary>Writes the state.</summary>
    public void Save(TrainingState state)
    {
        Directory.CreateDirectory(_directory);
        var metadata = _settings.ToDictionary(setting => Prefix + setting.Key, setting => setting.Value);
        metadata["step"] = state.Step.ToString(CultureInfo.InvariantCulture);
        metadata["best"] = JsonSerializer.Serialize(state.BestAp);
        metadata["history"] = JsonSerializer.Serialize(state.History);
        TensorFile.Write(_path, state.Tensors(), metadata);
    }

    /// <summary>Takes up a saved state, if there is one.</summary>
    /// <returns>Whether there was one.</returns>
    /// <exception cref="InvalidOperationException">The checkpoint is of a run with other settings or data.</exception>
    /// <exception cref="FormatException">The file is damaged.</exception>
    public bool Resume(TrainingState state)
    {
        if (!File.Exists(_path)) return false;
        (Dictionary<string, Tensor> tensors, Dictionary<string, string> metadata) = TensorFile.Read(_path);
        try
        {
            foreach ((string name, string value) in _settings)
            {
                string? saved = metadata.GetValueOrDefault(Prefix + name);
                if (saved != value)
                {
                    throw new InvalidOperationException(
                        $"The checkpoint '{_path}' is of another run: its {name} is {saved ?? "not set"}, and now it is {value}. "
                        + "Set these as they were to continue that run, or give another CheckpointDirectory, or delete the file.");
                }
            }

            state.Load(
                tensors,
                int.Parse(metadata["step"], CultureInfo.InvariantCulture),
                JsonSerializer.Deserialize<double?>(metadata["best"]),
                JsonSerializer.Deserialize<List<EpochSummary>>(metadata["history"])!);
            return true;
        }
        finally
        {
            foreach (Tensor tensor in tensors.Values) tensor.Dispose();
        }
    }
}

/// <summary>
/// Named tensors and a few strings in one file of the safetensors format: the length of the header in 8 bytes, the header as
/// JSON, then the values as they lie in memory.
/// </summary>
internal static class TensorFile
{
    private const string Metadata = "__metadata__";

    private static readonly (string Name, ScalarType Type)[] Types =
        [("F32", ScalarType.Float32), ("F64", ScalarType.Float64), ("I64", ScalarType.Int64), ("I32", ScalarType.Int32), ("U8", ScalarType.Byte), ("BOOL", ScalarType.Bool)];

    /// <summary>Writes beside the file and renames, so that there is either the old file or the new one.</summary>
    public static void Write(string path, IReadOnlyDictionary<string, Tensor> tensors, IReadOnlyDictionary<string, string> metadata)
    {
        string beside = path + ".new";
        using (FileStream file = File.Create(beside))
        {
            byte[] header = Header(tensors, metadata);
            Span<byte> length = stackalloc byte[8];
            BinaryPrimitives.WriteInt64LittleEndian(length, header.Length);
            file.Write(length);
            file.Write(header);
            foreach (Tensor tensor in tensors.Values)
            {
                using var scope = NewDisposeScope();
                Tensor values = tensor.detach().cpu().contiguous();
                file.Write(values.bytes);
                GC.KeepAlive(values);
            }

            file.Flush(flushToDisk: true);
        }

        File.Move(beside, path, overwrite: true);
    }

    /// <summary>Reads a file; the caller disposes the tensors, which are on the CPU and in no dispose scope.</summary>
    /// <exception cref="FormatException">The file is not of this format.</exception>
    public static (Dictionary<string, Tensor> Tensors, Dictionary<string, string> Metadata) Read(string path)
    {
        var tensors = new Dictionary<string, Tensor>();
        try
        {
            using FileStream file = File.OpenRead(path);
            using JsonDocument header = ReadHeader(file);
            long start = file.Position;
            var metadata = new Dictionary<string, string>();
            foreach (JsonProperty entry in header.RootElement.EnumerateObject())
            {
                if (entry.Name == Metadata)
                {
                    foreach (JsonProperty item in entry.Value.EnumerateObject()) metadata[item.Name] = item.Value.GetString()!;
                    continue;
                }

                file.Position = start + entry.Value.GetProperty("data_offsets")[0].GetInt64();
                tensors[entry.Name] = ReadTensor(file, entry.Value);
            }

            return (tensors, metadata);
        }
        catch (Exception exception) when (exception is JsonException or KeyNotFoundException or InvalidOperationException or EndOfStreamException)
        {
            foreach (Tensor tensor in tensors.Values) tensor.Dispose();
            throw new FormatException($"'{path}' is not a file of tensors, or it is damaged: {exception.Message}", exception);
        }
    }

    /// <summary>Reads only the strings of a file.</summary>
    public static Dictionary<string, string> ReadMetadata(string path)
    {
        using FileStream file = File.OpenRead(path);
        using JsonDocument header = ReadHeader(file);
        return header.RootElement.GetProperty(Metadata).Deserialize<Dictionary<string, string>>()!;
    }

    private static byte[] Header(IReadOnlyDictionary<string, Tensor> tensors, IReadOnlyDictionary<string, string> metadata)
    {
        var header = new Dictionary<string, object> { [Metadata] = metadata };
        long offset = 0;
        foreach ((string name, Tensor tensor) in tensors)
        {
            long end = offset + tensor.numel() * tensor.element_size();
            string type = Types.First(known => known.Type == tensor.dtype).Name;
            header[name] = new { dtype = type, shape = tensor.shape, data_offsets = new[] { offset, end } };
            offset = end;
        }

        return JsonSerializer.SerializeToUtf8Bytes(header);
    }

    private static JsonDocument ReadHeader(FileStream file)
    {
        Span<byte> length = stackalloc byte[8];
        file.ReadExactly(length);
        long size = BinaryPrimitives.ReadInt64LittleEndian(length);
        if (size < 2 || size > file.Length - 8) throw new JsonException("the header's length is impossible");
        var header = new byte[size];
        file.ReadExactly(header);
        return JsonDocument.Parse(header);
    }

    private static Tensor ReadTensor(FileStream file, JsonElement entry)
    {
        string name = entry.GetProperty("dtype").GetString()!;
        ScalarType type = Types.First(known => known.Name == name).Type;
        long[] shape = [.. entry.GetProperty("shape").EnumerateArray().Select(size => size.GetInt64())];
        Tensor tensor = zeros(shape, type).DetachFromDisposeScope();
        file.ReadExactly(tensor.bytes);
        GC.KeepAlive(tensor);
        return tensor;
    }
}
