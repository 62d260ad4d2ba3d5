using System.Buffers.Binary;
using System.Text.Json;
using Microsoft.ML.Distillation.Files;
using TorchSharp;
using static TorchSharp.torch;

namespace Microsoft.ML.Distillation.Detectors.Weights;

/// <summary>
/// A .safetensors file: the length of a header (8 bytes), the header (JSON: name → type, shape, first and last byte; and a few strings),
/// the
/// values as they lie in memory. Weights come in this format, and checkpoints are kept in it.
/// </summary>
internal sealed class SafetensorsFile : WeightsFile
{
    private const int LengthBytes = 8;
    private const long LongestHeader = 100_000_000;
    private const string MetadataKey = "__metadata__";

    private static readonly (string Name, ScalarType Type)[] Types =
    [
        ("F64", ScalarType.Float64), ("F32", ScalarType.Float32), ("F16", ScalarType.Float16), ("BF16", ScalarType.BFloat16),
        ("I64", ScalarType.Int64),
        ("I32", ScalarType.Int32), ("I16", ScalarType.Int16), ("I8", ScalarType.Int8), ("U8", ScalarType.Byte), ("BOOL", ScalarType.Bool),
    ];

    private readonly Stream _stream;
    private readonly Dictionary<string, StoredTensor> _tensors = [];
    private readonly Dictionary<string, long> _starts = [];
    private readonly Dictionary<string, string> _metadata = [];

    public SafetensorsFile(Stream stream)
    {
        _stream = stream;
        Span<byte> prefix = stackalloc byte[LengthBytes];
        stream.ReadExactly(prefix);
        ulong length = BinaryPrimitives.ReadUInt64LittleEndian(prefix);
        if (length > (ulong)Math.Min(LongestHeader, stream.Length - LengthBytes))
            throw new FormatException("the header is longer than the file.");
        var header = new byte[length];
        stream.ReadExactly(header);
        try
        {
            using JsonDocument document = JsonDocument.Parse(header);
            foreach (JsonProperty entry in document.RootElement.EnumerateObject())
            {
                if (entry.Name != MetadataKey) Add(entry.Name, entry.Value, LengthBytes + (long)length);
                else foreach (JsonProperty item in entry.Value.EnumerateObject()) _metadata[item.Name] = item.Value.GetString() ?? "";
            }
        }
        catch (Exception e) when (e is JsonException or InvalidOperationException or KeyNotFoundException)
        {
            throw new FormatException($"the header is damaged: {e.Message}", e);
        }
    }

    /// <inheritdoc/>
    public override IReadOnlyDictionary<string, StoredTensor> Tensors => _tensors;

    /// <summary>The strings of the header.</summary>
    public IReadOnlyDictionary<string, string> Metadata => _metadata;

    /// <summary>Writes a file, whole or not at all.</summary>
    /// <param name="tensors">The tensors by name, on any device.</param>
    public static void Write(string path, IReadOnlyDictionary<string, Tensor> tensors, IReadOnlyDictionary<string, string> metadata)
        => AtomicFile.Write(path, beside =>
    {
        using FileStream file = new(beside, FileMode.CreateNew, FileAccess.Write);
        byte[] header = Header(tensors, metadata);
        Span<byte> length = stackalloc byte[LengthBytes];
        BinaryPrimitives.WriteInt64LittleEndian(length, header.Length);
        file.Write(length);
        file.Write(header);
        foreach (Tensor tensor in tensors.Values)
        {
            using DisposeScope scope = NewDisposeScope();
            Tensor values = tensor.detach().cpu().contiguous();
            file.Write(values.bytes);
            GC.KeepAlive(values);
        }

        file.Flush(flushToDisk: true);
    });

    /// <inheritdoc/>
    protected override Tensor ReadTensor(string name)
    {
        using DisposeScope scope = NewDisposeScope();
        StoredTensor tensor = _tensors[name];
        _stream.Position = _starts[name];
        return ReadValues(_stream, tensor.Type, tensor.Count).view(tensor.Shape).MoveToOuterDisposeScope();
    }

    /// <inheritdoc/>
    protected override void Dispose(bool disposing) => _stream.Dispose();

    private void Add(string name, JsonElement entry, long data)
    {
        long[] shape = [.. entry.GetProperty("shape").EnumerateArray().Select(d => d.GetInt64())];
        var tensor = new StoredTensor(TypeOf(name, entry.GetProperty("dtype").GetString()), shape);
        (long from, long to) = (entry.GetProperty("data_offsets")[0].GetInt64(), entry.GetProperty("data_offsets")[1].GetInt64());
        bool fits = shape.All(d => d >= 0) && from >= 0 && to >= from && to <= _stream.Length - data
            && to - from == checked(tensor.Count * StoredTensor.SizeOf(tensor.Type));
        if (!fits)
            throw new FormatException($"the tensor '{name}' of shape {StoredTensor.Text(shape)} does not match its place in the file.");
        if (!_tensors.TryAdd(name, tensor)) throw new FormatException($"there are two tensors '{name}'.");
        _starts[name] = data + from;
    }

    private static byte[] Header(IReadOnlyDictionary<string, Tensor> tensors, IReadOnlyDictionary<string, string> metadata)
    {
        var header = new Dictionary<string, object> { [MetadataKey] = metadata };
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

    private static ScalarType TypeOf(string name, string? type)
        => Types.FirstOrDefault(known => known.Name == type) is { Name: not null } found
        ? found.Type
        : throw new FormatException($"the tensor '{name}' is of the type {type}, which is not supported.");
}
