using System.Buffers.Binary;
using System.Globalization;
using System.IO.Compression;
using System.Runtime.InteropServices;
using System.Text;
using System.Text.Json;
using System.Text.RegularExpressions;
using Microsoft.ML.Distillation.Files;

namespace Microsoft.ML.Distillation.Published.Prompts;

/// <summary>An array of an embeddings file.</summary>
internal sealed record StoredArray(string Name, int[] Shape, float[] Values);

/// <summary>Reads phrases' embeddings from .npy, .npz and .safetensors.</summary>
internal static partial class EmbeddingsFile
{
    private const long LargestFile = 1L << 30;
    private const int LengthBytes = 8;

    /// <summary>The embeddings of phrases, one after the other, each divided by its length.</summary>
    /// <param name="dimension">The length that the model wants; <see langword="null"/>: any.</param>
    /// <param name="blank">One for no words, where the file has one more than there are phrases.</param>
    /// <exception cref="FileNotFoundException">There is no such file.</exception>
    /// <exception cref="FormatException">The file cannot be read, or does not hold these phrases.</exception>
    public static float[][] Read(string path, DetectorPrompts prompts, int? dimension, out float[]? blank)
    {
        if (InputFile.Problem(path) is { } problem) throw new FormatException($"'{path}' holds no embeddings: {problem}.");
        if (Directory.Exists(path)) throw new FormatException($"'{path}' holds no embeddings: it is a folder, not a file.");
        if (!File.Exists(path)) throw new FileNotFoundException($"There is no file of embeddings '{path}'.", path);
        if (new FileInfo(path).Length > LargestFile) throw new FormatException($"'{path}' is too large for embeddings of phrases.");
        try
        {
            StoredArray[] arrays = [.. Arrays(path)];
            float[][] rows = [.. Choose(arrays, prompts)];
            foreach (float[] row in rows)
            {
                if (row.Length == 0 || (dimension is int wanted && row.Length != wanted)) throw new InvalidDataException(
                    $"its embeddings have {row.Length} values, and the detector takes {dimension}.");
                Normalise(row);
            }

            blank = rows.Length > prompts.Prompts.Count ? rows[^1] : null;
            return rows[..prompts.Prompts.Count];
        }
        catch (Exception e) when (e is InvalidDataException or JsonException or InvalidOperationException or KeyNotFoundException
            or EndOfStreamException or OverflowException or ArgumentException or FormatException)
        {
            string wanted = Counted.Of(prompts.Prompts.Count, "prompt");
            throw new FormatException($"'{path}' does not hold the embeddings of {wanted}: {e.Message}", e);
        }
    }

    /// <summary>Divides a vector by its length.</summary>
    /// <exception cref="InvalidDataException">It has none, or holds what is no number.</exception>
    public static void Normalise(Span<float> vector)
    {
        double sum = 0;
        foreach (float value in vector) sum += (double)value * value;
        if (!(sum > 0) || !double.IsFinite(sum)) throw new InvalidDataException("an embedding is no vector of numbers with a length.");
        float length = (float)Math.Sqrt(sum);
        foreach (ref float value in vector) value /= length;
    }

    private static IEnumerable<float[]> Choose(StoredArray[] arrays, DetectorPrompts prompts)
    {
        if (arrays.Length == 0) throw new InvalidDataException("it holds no array.");
        StoredArray?[] named = [.. prompts.Prompts.Select(prompt => Named(arrays, prompt.Phrase) ?? Named(arrays, prompt.ClassName))];
        if (named.All(array => array is not null))
        {
            if (named.All(array => array!.Shape.Count(side => side != 1) <= 1)) return named.Select(array => array!.Values);
        }

        // One phrase may well be a vector; sides of 1, as batches leave them, do not count.
        bool isAlone = arrays.Length == 1 && prompts.Prompts.Count == 1;
        StoredArray[] tables = [.. arrays.Where(array => array.Shape.Length > (isAlone ? 0 : 1)
            && array.Shape[..^1].Count(side => side != 1) <= 1)];
        if (tables is not [var table])
        {
            string missing = string.Join(", ", prompts.Prompts.Where((_, i) => named[i] is null).Select(prompt => $"'{prompt.Phrase}'"));
            throw new InvalidDataException(arrays.Length == 1
                ? $"its array is [{string.Join(", ", arrays[0].Shape)}], and rows are needed, one for each prompt in their order: "
                    + $"[{prompts.Prompts.Count}, length]."
                : $"it has no array for {ShortText.Of(missing)}; it has "
                    + $"{ShortText.Of(arrays.Select(array => $"'{array.Name}'"), arrays.Length)}.");
        }

        (int rows, int length) = (table.Shape[..^1].Aggregate(1, (product, side) => product * side), table.Shape[^1]);
        if (rows != prompts.Prompts.Count && rows != prompts.Prompts.Count + 1) throw new InvalidDataException(
            $"its array has {Counted.Of(rows, "row")}, and {prompts.Prompts.Count} are needed, one for each prompt in their order.");
        return Enumerable.Range(0, rows).Select(i => table.Values[(i * length)..((i + 1) * length)]);
    }

    private static StoredArray? Named(StoredArray[] arrays, string name)
        => arrays.FirstOrDefault(array => Plain(array.Name) == Plain(name));

    private static string Plain(string name) => name.Trim().Replace('_', ' ').ToUpperInvariant();

    private static IEnumerable<StoredArray> Arrays(string path)
    {
        byte[] bytes;
        using (FileStream file = InputFile.OpenRead(path))
        {
            bytes = new byte[file.Length];
            file.ReadExactly(bytes);
        }

        string name = Path.GetFileNameWithoutExtension(path);
        if (bytes is [0x93, (byte)'N', ..]) return [Numpy(name, bytes)];
        if (bytes is [(byte)'P', (byte)'K', ..]) return Zipped(bytes);
        return bytes.Length > LengthBytes && bytes[LengthBytes] == '{' ? Safetensors(bytes)
            : throw new InvalidDataException("it is neither .npy, .npz nor .safetensors.");
    }

    private static List<StoredArray> Zipped(byte[] bytes)
    {
        using var archive = new ZipArchive(new MemoryStream(bytes, writable: false));
        var arrays = new List<StoredArray>();
        foreach (ZipArchiveEntry entry in archive.Entries.Where(entry => entry.Name.EndsWith(".npy", StringComparison.Ordinal)))
        {
            if (entry.Length > LargestFile) throw new InvalidDataException($"'{ShortText.Of(entry.FullName)}' is too large.");
            var content = new byte[entry.Length];
            using (Stream stream = entry.Open()) stream.ReadExactly(content);
            arrays.Add(Numpy(entry.FullName[..^4], content));
        }

        return arrays;
    }

    private static StoredArray Numpy(string name, byte[] bytes)
    {
        if (bytes.Length < 12 || bytes[1] != 'N') throw new InvalidDataException($"'{ShortText.Of(name)}' is no array of NumPy.");
        bool isLong = bytes[6] >= 2;
        int length = isLong ? BinaryPrimitives.ReadInt32LittleEndian(bytes.AsSpan(8))
            : BinaryPrimitives.ReadUInt16LittleEndian(bytes.AsSpan(8));
        int start = isLong ? 12 : 10;
        if (length < 0 || start + length > bytes.Length) throw new InvalidDataException("its header is longer than the file.");
        string header = Encoding.Latin1.GetString(bytes, start, length);
        Match type = Descr().Match(header), shape = Shape().Match(header);
        if (!type.Success || !shape.Success) throw new InvalidDataException("its header is not NumPy's.");
        if (header.Contains("'fortran_order': True", StringComparison.Ordinal)) throw new InvalidDataException(
            "its array lies column by column (fortran_order): save a copy made with numpy.ascontiguousarray.");
        int[] sides = [.. shape.Groups[1].Value.Split(',', StringSplitOptions.RemoveEmptyEntries | StringSplitOptions.TrimEntries)
            .Select(side => int.Parse(side, CultureInfo.InvariantCulture))];
        return Array(name, sides, bytes.AsSpan(start + length), type.Groups[1].Value switch
        {
            "<f4" => "F32",
            "<f2" => "F16",
            "<f8" => "F64",
            string other => throw new InvalidDataException($"its values are of {ShortText.Of(other)}: floats in the machine's own "
                + "order are needed (array.astype(numpy.float32))."),
        });
    }

    private static List<StoredArray> Safetensors(byte[] bytes)
    {
        ulong length = BinaryPrimitives.ReadUInt64LittleEndian(bytes);
        if (length > (ulong)(bytes.Length - LengthBytes)) throw new InvalidDataException("its header is longer than the file.");
        int start = LengthBytes + (int)length;
        using JsonDocument header = JsonDocument.Parse(bytes.AsMemory(LengthBytes, (int)length));
        var arrays = new List<StoredArray>();
        foreach (JsonProperty entry in header.RootElement.EnumerateObject().Where(entry => entry.Name != "__metadata__"))
        {
            int[] sides = [.. Member("shape").EnumerateArray().Select(side => side.GetInt32())];
            long[] place = [.. Member("data_offsets").EnumerateArray().Select(offset => offset.GetInt64())];
            if (place is not [>= 0 and long from, long to] || to < from || start + to > bytes.Length) throw new InvalidDataException(
                $"'{ShortText.Of(entry.Name)}' ends behind the file.");
            arrays.Add(Array(entry.Name, sides, bytes.AsSpan(start + (int)from, (int)(to - from)),
                Member("dtype").GetString() ?? ""));

            JsonElement Member(string name)
                => entry.Value.ValueKind == JsonValueKind.Object && entry.Value.TryGetProperty(name, out JsonElement value) ? value
                : throw new InvalidDataException($"'{ShortText.Of(entry.Name)}' has no {name}.");
        }

        return arrays;
    }

    private static StoredArray Array(string name, int[] shape, ReadOnlySpan<byte> bytes, string type)
    {
        int count = checked(shape.Aggregate(1, (product, side) => checked(product * side)));
        int size = type switch
        {
            "F32" => 4,
            "F16" or "BF16" => 2,
            "F64" => 8,
            _ => throw new InvalidDataException($"'{ShortText.Of(name)}' is of {ShortText.Of(type)}: floats are needed."),
        };
        if (shape.Any(side => side < 0) || (long)count * size > bytes.Length) throw new InvalidDataException(
            $"'{ShortText.Of(name)}' ends before its array does.");
        ReadOnlySpan<byte> data = bytes[..(count * size)];
        float[] values = type switch
        {
            "F32" => MemoryMarshal.Cast<byte, float>(data).ToArray(),
            "F16" => System.Array.ConvertAll(MemoryMarshal.Cast<byte, Half>(data).ToArray(), value => (float)value),
            "F64" => System.Array.ConvertAll(MemoryMarshal.Cast<byte, double>(data).ToArray(), value => (float)value),
            _ => System.Array.ConvertAll(MemoryMarshal.Cast<byte, ushort>(data).ToArray(),
                value => BitConverter.UInt32BitsToSingle((uint)value << 16)),
        };
        return new StoredArray(name, shape, values);
    }

    [GeneratedRegex(@"'descr':\s*'([^']*)'")]
    private static partial Regex Descr();

    [GeneratedRegex(@"'shape':\s*\(([\d,\s]*)\)")]
    private static partial Regex Shape();
}
