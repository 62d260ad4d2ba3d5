using System.Buffers.Binary;
using System.IO.Compression;
using System.Runtime.InteropServices;
using Google.Protobuf;
using Microsoft.ML.Distillation.Files;
using Microsoft.ML.Distillation.Onnx.Proto;

namespace Microsoft.ML.Distillation.Onnx;

/// <summary>The values of a parameter in an ONNX file.</summary>
internal sealed record OnnxTensor(IReadOnlyList<long> Shape, float[] Values);

/// <summary>A parameter of integers of 8 or 4 bits in an ONNX file.</summary>
internal sealed record OnnxIntegers(IReadOnlyList<long> Shape, sbyte[] Values);

/// <summary>
/// An ONNX model as a file: its graph, its metadata, its parameters by name. Knows no detector. Reads a bare .onnx as well
/// as the ONNX models inside an ML.NET model .zip.
/// </summary>
internal sealed class OnnxModelFile(ModelProto model)
{
    // ML.NET's OnnxTransformer stores its model in an entry of this name: a 32-bit length, then the bytes.
    private const string ZipEntryName = "OnnxModel";

    /// <summary>Weights hardly compress: what unpacks to much more, beyond a few zeros, is made to fill the memory.</summary>
    private const long MostUnpacked = 16, FreelyUnpacked = 64L << 20;

    /// <summary>The model itself.</summary>
    public ModelProto Model { get; } = model;

    /// <summary>The key-value pairs that travel with the model; of a key that stands there twice the last, as ONNX Runtime has
    /// it.</summary>
    public IReadOnlyDictionary<string, string> Metadata { get; }
        = model.MetadataProps.GroupBy(entry => entry.Key).ToDictionary(group => group.Key, group => group.Last().Value);

    /// <summary>Reads a model from its bytes.</summary>
    /// <param name="bytes">The content of an .onnx file.</param>
    /// <param name="source">Where they come from, for the error message.</param>
    /// <exception cref="FormatException">The bytes are no ONNX model.</exception>
    public static OnnxModelFile Parse(ReadOnlySpan<byte> bytes, string source)
    {
        try
        {
            var model = ModelProto.Parser.ParseFrom(bytes);
            if (model.Graph is not null) return new OnnxModelFile(model);
        }
        catch (InvalidProtocolBufferException e)
        {
            throw new FormatException($"'{source}' is not an ONNX model: {e.Message}", e);
        }

        throw new FormatException($"'{source}' is not an ONNX model: it holds no graph.");
    }

    /// <summary>Whether the model was taken out of an ML.NET model .zip.</summary>
    public bool IsFromZip { get; private init; }

    /// <summary>Whether a file begins as a zip archive does.</summary>
    public static bool IsZip(string path)
    {
        InputFile.RefuseSpecial(path);
        using FileStream file = File.OpenRead(path);
        Span<byte> magic = stackalloc byte[2];
        return IsZip(magic[..file.ReadAtLeast(magic, 2, throwOnEndOfStream: false)]);
    }

    /// <summary>Every ONNX model in a file: the one of an .onnx, those of an ML.NET model .zip.</summary>
    /// <exception cref="FileNotFoundException">There is no such file.</exception>
    /// <exception cref="FormatException">The file is neither.</exception>
    public static IReadOnlyList<OnnxModelFile> LoadAll(string path)
    {
        if (!File.Exists(path)) throw new FileNotFoundException($"There is no model file '{path}'.", path);
        if (IsZip(path))
        {
            using FileStream file = File.OpenRead(path);
            return LoadAll(file, path);
        }

        if (Path.GetExtension(path).Equals(".zip", StringComparison.OrdinalIgnoreCase)) throw new FormatException(
            $"'{path}' is not an ML.NET model: it is no zip archive.");
        return [Parse(File.ReadAllBytes(path), path)];
    }

    /// <summary>Every ONNX model in the content of a file.</summary>
    /// <inheritdoc cref="LoadAll(string)" path="/exception"/>
    public static IReadOnlyList<OnnxModelFile> LoadAll(byte[] content, string source)
    {
        if (!IsZip(content)) return [Parse(content, source)];
        using var zip = new MemoryStream(content, writable: false);
        return LoadAll(zip, source);
    }

    /// <summary>Every ONNX model in an ML.NET model .zip.</summary>
    public static IReadOnlyList<OnnxModelFile> LoadAll(Stream zip, string source)
    {
        var models = new List<OnnxModelFile>();
        try
        {
            long room = Math.Min(Array.MaxLength, FreelyUnpacked + MostUnpacked * zip.Length);
            using var archive = new ZipArchive(zip, ZipArchiveMode.Read, leaveOpen: true);
            foreach (ZipArchiveEntry entry in archive.Entries.Where(e => e.Name == ZipEntryName))
            {
                if (entry.Length > room) throw new FormatException(
                    $"'{source}' unpacks to more than a model would, {entry.Length >> 20} megabytes of '{ShortText.Of(entry.FullName)}'.");
                room -= entry.Length;
                var content = new byte[entry.Length];
                using (Stream stream = entry.Open()) stream.ReadExactly(content);
                ReadOnlySpan<byte> bytes = content;
                if (bytes.Length < 4 || BinaryPrimitives.ReadInt32LittleEndian(bytes) != bytes.Length - 4)
                    throw new FormatException(
                        $"'{source}' holds an ONNX model in a layout that is not ML.NET's ({ShortText.Of(entry.FullName)}).");
                models.Add(new OnnxModelFile(Parse(bytes[4..], $"{source}/{entry.FullName}").Model) { IsFromZip = true });
            }
        }
        catch (Exception e) when (e is InvalidDataException or EndOfStreamException)
        {
            throw new FormatException($"'{source}' is not an ML.NET model: {e.Message}", e);
        }

        return models;
    }

    /// <summary>The model's parameters of type float, by name.</summary>
    public IReadOnlyDictionary<string, OnnxTensor> Parameters()
    {
        var parameters = new Dictionary<string, OnnxTensor>();
        foreach (TensorProto tensor in Model.Graph.Initializer)
        {
            if (tensor.DataType != (int)TensorProto.Types.DataType.Float) continue;
            if (tensor.DataLocation == TensorProto.Types.DataLocation.External)
                throw new NotSupportedException(
                    $"The ONNX parameter '{tensor.Name}' lies in another file; models with external data cannot be read.");
            float[] values = tensor.HasRawData
                ? MemoryMarshal.Cast<byte, float>(tensor.RawData.Span).ToArray()
                : [.. tensor.FloatData];
            if (values.Length != Count(tensor)) throw new FormatException(
                $"The ONNX model's parameter '{ShortText.Of(tensor.Name)}' has {values.Length} values, and its shape says otherwise.");
            parameters[tensor.Name] = new OnnxTensor(tensor.Dims, values);
        }

        return parameters;
    }

    /// <summary>The model's parameters of signed integers of 8 or 4 bits, by name.</summary>
    public IReadOnlyDictionary<string, OnnxIntegers> Integers()
    {
        var parameters = new Dictionary<string, OnnxIntegers>();
        foreach (TensorProto tensor in Model.Graph.Initializer.Concat(Constants()))
        {
            bool halves = tensor.DataType == (int)TensorProto.Types.DataType.Int4;
            if (!halves && tensor.DataType != (int)TensorProto.Types.DataType.Int8) continue;
            ReadOnlySpan<byte> data = tensor.RawData.Span;
            double count = Count(tensor);
            if (data.Length != (halves ? Math.Ceiling(count / 2) : count)) throw new FormatException(
                $"The ONNX model's parameter '{ShortText.Of(tensor.Name)}' has {data.Length} bytes, and its shape says otherwise.");
            parameters[tensor.Name] = new OnnxIntegers(
                tensor.Dims, halves ? Int4.Unpack(data, (int)count) : MemoryMarshal.Cast<byte, sbyte>(data).ToArray());
        }

        return parameters;
    }

    /// <summary>
    /// How many values the file has for parameters, by its bytes and not by what it says: a bound for the network that it describes.
    /// </summary>
    public double StoredValues()
    {
        return Model.Graph.Initializer.Concat(Constants()).Sum(tensor => InBytes(tensor) + tensor.FloatData.Count);

        static double InBytes(TensorProto tensor) => (TensorProto.Types.DataType)tensor.DataType switch
        {
            TensorProto.Types.DataType.Float => tensor.RawData.Length / 4.0,
            TensorProto.Types.DataType.Int4 => tensor.RawData.Length * 2.0,
            _ => tensor.RawData.Length,
        };
    }

    /// <summary>The values of a shape, of which a file may say anything.</summary>
    private static double Count(TensorProto tensor)
        => tensor.Dims.Aggregate(1.0, (product, size) => size < 0 ? double.NaN : product * size);

    /// <summary>The tensors of Constant operators, which have their names.</summary>
    private IEnumerable<TensorProto> Constants()
        => Model.Graph.Node.Where(n => n.OpType == "Constant").SelectMany(n => n.Attribute).Where(a => a.T is not null).Select(a => a.T);

    /// <summary>The one byte of a parameter.</summary>
    /// <exception cref="FormatException">The model has no such parameter.</exception>
    public byte ByteParameter(string name)
        => Model.Graph.Initializer.FirstOrDefault(t => t.Name == name) is { RawData.Length: 1 } tensor
            ? tensor.RawData[0]
            : throw new FormatException($"The ONNX model lacks the parameter '{name}', which is one byte.");

    /// <summary>The same model with its inputs and outputs under other names.</summary>
    public OnnxModelFile Rename(Func<string, string> rename)
    {
        ModelProto copy = Model.Clone();
        GraphProto graph = copy.Graph;
        var initializers = graph.Initializer.Select(t => t.Name).ToHashSet();
        var names = graph.Input.Concat(graph.Output).Select(v => v.Name).Where(n => !initializers.Contains(n))
            .Distinct().ToDictionary(n => n, rename);
        foreach (ValueInfoProto value in graph.Input.Concat(graph.Output))
            value.Name = names.GetValueOrDefault(value.Name, value.Name);
        foreach (NodeProto node in graph.Node)
        {
            Replace(node.Input, names);
            Replace(node.Output, names);
        }

        return new OnnxModelFile(copy);
    }

    /// <summary>The same model with an entry more in its metadata.</summary>
    public OnnxModelFile With(string key, string value)
    {
        ModelProto copy = Model.Clone();
        copy.MetadataProps.Add(new StringStringEntryProto { Key = key, Value = value });
        return new OnnxModelFile(copy);
    }

    /// <summary>The content of the .onnx file.</summary>
    public byte[] ToBytes() => Model.ToByteArray();

    private static bool IsZip(ReadOnlySpan<byte> content) => content is [(byte)'P', (byte)'K', ..];

    private static void Replace(Google.Protobuf.Collections.RepeatedField<string> values, Dictionary<string, string> names)
    {
        for (int i = 0; i < values.Count; i++)
            if (names.TryGetValue(values[i], out string? name)) values[i] = name;
    }
}

/// <summary>Signed integers of 4 bits, −8 to 7, as ONNX stores them: two in a byte, the first in the lower half.</summary>
internal static class Int4
{
    /// <summary>Packs; with an odd number the last upper half is 0.</summary>
    public static byte[] Pack(ReadOnlySpan<sbyte> values)
    {
        var packed = new byte[(values.Length + 1) / 2];
        for (int i = 0; i < values.Length; i++)
        {
            if (values[i] is < -8 or > 7) throw new ArgumentOutOfRangeException(nameof(values), values[i], "Four bits hold −8 to 7.");
            packed[i / 2] |= (byte)((values[i] & 0xF) << 4 * (i & 1));
        }

        return packed;
    }

    /// <summary>Unpacks the first <paramref name="count"/> values.</summary>
    public static sbyte[] Unpack(ReadOnlySpan<byte> packed, int count)
    {
        var values = new sbyte[count];
        for (int i = 0; i < count; i++)
        {
            int half = packed[i / 2] >> 4 * (i & 1) & 0xF;
            values[i] = (sbyte)(half > 7 ? half - 16 : half);
        }

        return values;
    }
}
