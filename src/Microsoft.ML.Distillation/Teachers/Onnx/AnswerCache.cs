using System.Buffers.Binary;
using System.Runtime.InteropServices;
using System.Security.Cryptography;
using System.Text;
using Microsoft.ML.Distillation.Files;
using Microsoft.ML.Distillation.Images;
using Microsoft.ML.Distillation.Published;

namespace Microsoft.ML.Distillation.Teachers.Onnx;

/// <summary>
/// A folder with a teacher's answers: for each image, by the hash of teacher, options and pixels, a file with its predictions. Files are
/// written beside and renamed and end in a checksum, so that any number of processes can share the folder and a file that a crash left
/// damaged is only a missing one. When the files exceed the bound the oldest go.
/// </summary>
internal sealed class AnswerCache
{
    private const string Ending = ".answer";
    private const int HeaderBytes = 12;
    private const int ChecksumBytes = 8;

    private static readonly TimeSpan PartsAreLeftOver = TimeSpan.FromHours(1);

    private readonly string _folder;
    private readonly byte[] _teacher;
    private readonly long _limit;
    private long _bytes;

    /// <param name="folder">The folder; made if it does not exist.</param>
    /// <param name="fingerprint">What tells the teacher and how it is read from others.</param>
    /// <param name="limit">The bound in bytes.</param>
    public AnswerCache(string folder, string fingerprint, long limit)
    {
        (_folder, _teacher, _limit) = (Path.GetFullPath(folder), Encoding.UTF8.GetBytes(fingerprint), limit);
        Directory.CreateDirectory(_folder);
        _bytes = Trim();
    }

    /// <summary>The name under which the answer to an image is kept.</summary>
    public string KeyOf(RgbImage image)
    {
        using var hash = IncrementalHash.CreateHash(HashAlgorithmName.SHA256);
        hash.AppendData(_teacher);
        Span<byte> size = stackalloc byte[8];
        BinaryPrimitives.WriteInt32LittleEndian(size, image.Width);
        BinaryPrimitives.WriteInt32LittleEndian(size[4..], image.Height);
        hash.AppendData(size);
        hash.AppendData(image.Pixels);
        return Convert.ToHexStringLower(hash.GetHashAndReset());
    }

    /// <summary>The answer of a name, or null where there is none that can be read.</summary>
    public DensePredictions? Read(string key)
    {
        try
        {
            return Decode(File.ReadAllBytes(PathOf(key)));
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            return null;
        }
    }

    /// <summary>Keeps an answer. Where that cannot be, as on a full disk, it is not kept.</summary>
    public void Write(string key, DensePredictions answer)
    {
        byte[] bytes = Encode(answer);
        try
        {
            // What a crash of the machine leaves damaged is a missing answer, so nobody need wait for the disk.
            AtomicFile.Write(PathOf(key), bytes, flush: false);
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            return;
        }

        if (Interlocked.Add(ref _bytes, bytes.Length) > _limit) Interlocked.Exchange(ref _bytes, Trim());
    }

    /// <summary>The bytes of an answer: counts, values, checksum.</summary>
    internal static byte[] Encode(DensePredictions answer)
    {
        float[][] parts =
            [answer.Boxes, answer.Probabilities, answer.Confidences, answer.Edges?.Probabilities ?? [], answer.Edges?.Places ?? []];
        byte[] bytes = new byte[HeaderBytes + sizeof(float) * parts.Sum(values => values.Length) + ChecksumBytes];
        BinaryPrimitives.WriteInt32LittleEndian(bytes, answer.Count);
        BinaryPrimitives.WriteInt32LittleEndian(bytes.AsSpan(4), answer.Probabilities.Length);
        BinaryPrimitives.WriteInt32LittleEndian(bytes.AsSpan(8), answer.Edges?.Bins ?? 0);
        Span<byte> rest = bytes.AsSpan(HeaderBytes);
        foreach (float[] values in parts)
        {
            MemoryMarshal.AsBytes(values.AsSpan()).CopyTo(rest);
            rest = rest[(sizeof(float) * values.Length)..];
        }

        SHA256.HashData(bytes.AsSpan(..^ChecksumBytes)).AsSpan(0, ChecksumBytes).CopyTo(rest);
        return bytes;
    }

    /// <summary>The answer in bytes, or null where they are damaged.</summary>
    internal static DensePredictions? Decode(byte[] bytes)
    {
        if (bytes.Length < HeaderBytes + ChecksumBytes) return null;
        Span<byte> checksum = SHA256.HashData(bytes.AsSpan(..^ChecksumBytes)).AsSpan(0, ChecksumBytes);
        if (!checksum.SequenceEqual(bytes.AsSpan(^ChecksumBytes..))) return null;
        int count = BinaryPrimitives.ReadInt32LittleEndian(bytes), probabilities = BinaryPrimitives.ReadInt32LittleEndian(bytes.AsSpan(4));
        int bins = BinaryPrimitives.ReadInt32LittleEndian(bytes.AsSpan(8)), start = 0;
        // Whoever can write a checksum may write other numbers too.
        if (count < 0 || bins < 0 || probabilities < 0 || (count == 0 ? probabilities > 0 : probabilities % count != 0)) return null;
        int rest = bytes.Length - HeaderBytes - ChecksumBytes;
        UInt128 wanted = 5 * (UInt128)count + (UInt128)probabilities + 8 * (UInt128)bins * (UInt128)count;
        if (rest % sizeof(float) != 0 || wanted != (UInt128)(rest / sizeof(float))) return null;
        int edges = 4 * bins * count;
        float[] values = MemoryMarshal.Cast<byte, float>(bytes.AsSpan(HeaderBytes..^ChecksumBytes)).ToArray();
        return new DensePredictions(Next(4 * count), Next(probabilities), Next(count))
        {
            Edges = bins == 0 ? null : new EdgeBins(bins, Next(edges), Next(edges)),
        };

        float[] Next(int length)
        {
            start += length;
            return values[(start - length)..start];
        }
    }

    private string PathOf(string key) => Path.Combine(_folder, key[..2], key + Ending);

    /// <summary>Deletes the oldest files beyond nine tenths of the bound, if it is exceeded; the bytes that remain.</summary>
    private long Trim()
    {
        FileInfo[] files = [.. new DirectoryInfo(_folder).EnumerateFiles("*", SearchOption.AllDirectories)
            .Where(file => file.Name.EndsWith(Ending, StringComparison.Ordinal) || IsLeftOver(file))];
        long bytes = files.Sum(Length);
        if (bytes > _limit)
        {
            foreach (FileInfo file in files.OrderBy(file => file.LastWriteTimeUtc).ThenBy(file => file.Name, StringComparer.Ordinal))
            {
                if (bytes <= _limit * 9 / 10) break;
                bytes -= Length(file);
                Delete(file.FullName);
            }
        }

        return bytes;
    }

    /// <summary>What a process began to write that was killed.</summary>
    private static bool IsLeftOver(FileInfo file)
    {
        if (!file.Name.EndsWith(AtomicFile.PartEnding, StringComparison.Ordinal)) return false;
        if (DateTime.UtcNow - file.LastWriteTimeUtc < PartsAreLeftOver) return false;
        Delete(file.FullName);
        return false;
    }

    private static long Length(FileInfo file)
    {
        try
        {
            return file.Length;
        }
        catch (FileNotFoundException)
        {
            return 0;
        }
    }

    private static void Delete(string path)
    {
        try
        {
            File.Delete(path);
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            // Another process is at it.
        }
    }
}
