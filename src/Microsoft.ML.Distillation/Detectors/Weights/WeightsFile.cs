using Microsoft.ML.Distillation.Files;
using static TorchSharp.torch;

namespace Microsoft.ML.Distillation.Detectors.Weights;

/// <summary>
/// A file of named tensors: a PyTorch checkpoint or a .safetensors file. Opening it reads the names and shapes, and a tensor's
/// values are read when asked for. Nothing in the file is ever executed.
/// </summary>
internal abstract class WeightsFile : IDisposable
{
    private const uint ZipMagic = 0x04034b50;
    private const byte PickleStart = 0x80;

    /// <summary>The tensors by name.</summary>
    public abstract IReadOnlyDictionary<string, StoredTensor> Tensors { get; }

    /// <summary>The values of a tensor, on the CPU, in the type and shape that <see cref="Tensors"/> names.</summary>
    /// <exception cref="FormatException">The file ends too early or contradicts itself.</exception>
    public Tensor Read(string name)
    {
        try
        {
            return ReadTensor(name);
        }
        catch (Exception e) when (IsDamage(e))
        {
            throw new FormatException($"The tensor '{ShortText.Of(name)}' cannot be read: {e.Message}", e);
        }
    }

    /// <summary>Opens a file; its content, not its ending, says of which kind it is.</summary>
    /// <exception cref="FileNotFoundException">There is no such file.</exception>
    /// <exception cref="FormatException">The file is of neither kind, damaged, or holds more than tensors and plain containers.</exception>
    public static WeightsFile Open(string path)
    {
        ArgumentNullException.ThrowIfNull(path);
        if (!File.Exists(path)) throw new FileNotFoundException($"There is no weights file '{path}'.", path);
        if (FileKind.IsSpecial(path)) throw new FormatException($"'{path}' is a device or a pipe, not a file of weights.");
        FileStream stream = File.OpenRead(path);
        try
        {
            Span<byte> start = stackalloc byte[9];
            int read = stream.ReadAtLeast(start, start.Length, throwOnEndOfStream: false);
            stream.Position = 0;
            if (read >= 4 && BitConverter.ToUInt32(start) == ZipMagic) return new PyTorchZipFile(stream);
            if (read == 9 && start[8] == '{') return new SafetensorsFile(stream);
            if (read > 1 && start[0] == PickleStart) return new PyTorchLegacyFile(stream);
            throw new FormatException("it is neither a PyTorch checkpoint (.pth, .pt) nor a .safetensors file.");
        }
        catch (Exception e) when (IsDamage(e))
        {
            stream.Dispose();
            throw new FormatException($"The weights in '{path}' cannot be read: {e.Message}", e);
        }
        catch
        {
            stream.Dispose();
            throw;
        }
    }

    /// <inheritdoc/>
    public void Dispose()
    {
        Dispose(true);
        GC.SuppressFinalize(this);
    }

    /// <summary>Closes the file.</summary>
    protected abstract void Dispose(bool disposing);

    /// <inheritdoc cref="Read"/>
    protected abstract Tensor ReadTensor(string name);

    /// <summary>Reads consecutive values into a vector.</summary>
    protected static Tensor ReadValues(Stream stream, ScalarType type, long count)
    {
        if (count * StoredTensor.SizeOf(type) > Array.MaxLength) throw new FormatException("a tensor is larger than two gigabytes.");
        Tensor values = empty([count], type);
        if (count > 0) stream.ReadExactly(values.bytes);
        return values;
    }

    private static bool IsDamage(Exception e) => e is FormatException or InvalidDataException or EndOfStreamException or OverflowException;
}

/// <summary>What a file says about one of its tensors.</summary>
internal sealed record StoredTensor(ScalarType Type, long[] Shape)
{
    /// <summary>The number of values.</summary>
    public long Count => Shape.Aggregate(1L, (product, size) => checked(product * size));

    /// <summary>The bytes of one value.</summary>
    public static int SizeOf(ScalarType type) => type switch
    {
        ScalarType.Byte or ScalarType.Int8 or ScalarType.Bool => 1,
        ScalarType.Int16 or ScalarType.Float16 or ScalarType.BFloat16 => 2,
        ScalarType.Int32 or ScalarType.Float32 => 4,
        ScalarType.Int64 or ScalarType.Float64 => 8,
        _ => throw new FormatException($"Tensors of {type} are not supported."),
    };
}
