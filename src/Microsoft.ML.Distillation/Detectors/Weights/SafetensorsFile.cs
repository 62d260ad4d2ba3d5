using System.Buffers.Binary;
using System.Text.Json;
using Microsoft.ML.Distillation.Files;
using TorchSharp;
using static TorchSharp.torch;

namespace Microsoft.ML.Distillation.Detectors.Weights;

/// <summary>
/// A .safetensors file: the length of a header (8 bytes), the header (JSON: name → type, shape, first and last byte; and a few strings),
/// the values as they lie in memory. Weights come in this format, and checkpoints are kept in it.
/// </summary>
internal sealed class SafetensorsFile : WeightsFile
{
    private const int LengthBytes = 8;

    /// <summary>A thousand tensors take some 100 kB, and a checkpoint's description of an ONNX graph some megabytes.</summary>
    private const long LongestHeader = 100_000_000;

    /// <summary>The most dimensions of a PyTorch tensor.</summary>
    private const int MostNumbers = 64;

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
            throw new FormatException(FormattableString.Invariant($"the header is longer than the file, or than {LongestHeader} bytes."));
        var header = new byte[length];
        stream.ReadExactly(header);
        try
        {
            ReadHeader(header, LengthBytes + (long)length);
        }
        catch (Exception e) when (e is JsonException or InvalidOperationException)
        {
            throw new FormatException($"the header is damaged: {ShortText.Of(e.Message)}", e);
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

    /// <summary>Reads the header as it comes, and no further than it is what it should be.</summary>
    /// <param name="data">Where the values begin in the file.</param>
    private void ReadHeader(ReadOnlySpan<byte> header, long data)
    {
        var json = new Utf8JsonReader(header);
        Expect(ref json, JsonTokenType.StartObject);
        while (NextProperty(ref json) is { } name)
        {
            Expect(ref json, JsonTokenType.StartObject);
            if (name == MetadataKey)
            {
                while (NextProperty(ref json) is { } key)
                {
                    json.Read();
                    _metadata[key] = json.GetString() ?? "";
                }
            }
            else
            {
                Add(name, ref json, data);
            }
        }
    }

    private void Add(string name, ref Utf8JsonReader json, long data)
    {
        string? type = null;
        long[]? shape = null, offsets = null;
        while (NextProperty(ref json) is { } key)
        {
            switch (key)
            {
                case "dtype":
                    json.Read();
                    type = json.GetString();
                    break;
                case "shape": shape = Integers(ref json); break;
                case "data_offsets": offsets = Integers(ref json); break;
                default: throw new FormatException($"the header says '{ShortText.Of(key)}' of a tensor, which is not known.");
            }
        }

        if (type is null || shape is null || offsets is not [long from, long to])
            throw new FormatException($"the header is damaged: it does not say all of the tensor '{ShortText.Of(name)}'.");
        var tensor = new StoredTensor(TypeOf(name, type), shape);
        bool fits = shape.All(d => d >= 0) && from >= 0 && to >= from && to <= _stream.Length - data
            && to - from == checked(tensor.Count * StoredTensor.SizeOf(tensor.Type));
        if (!fits)
        {
            throw new FormatException(
                $"the tensor '{ShortText.Of(name)}' of shape {ShortText.Of(shape)} does not match its place in the file.");
        }

        if (!_tensors.TryAdd(name, tensor)) throw new FormatException($"there are two tensors '{ShortText.Of(name)}'.");
        _starts[name] = data + from;
    }

    private static void Expect(ref Utf8JsonReader json, JsonTokenType token)
    {
        if (!json.Read() || json.TokenType != token) throw new FormatException($"the header is damaged: no {token} where it belongs.");
    }

    /// <summary>The name of an object's next property, or null at its end.</summary>
    private static string? NextProperty(ref Utf8JsonReader json) => json.Read() && json.TokenType == JsonTokenType.PropertyName
        ? json.GetString()
        : null;

    private static long[] Integers(ref Utf8JsonReader json)
    {
        Expect(ref json, JsonTokenType.StartArray);
        var numbers = new List<long>();
        while (json.Read() && json.TokenType != JsonTokenType.EndArray)
        {
            if (numbers.Count == MostNumbers || json.TokenType != JsonTokenType.Number || !json.TryGetInt64(out long number))
                throw new FormatException("the header is damaged: a shape or place is not of a few whole numbers.");
            numbers.Add(number);
        }

        return [.. numbers];
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
        : throw new FormatException($"the tensor '{ShortText.Of(name)}' is of the type {ShortText.Of(type)}, which is not supported.");
}
