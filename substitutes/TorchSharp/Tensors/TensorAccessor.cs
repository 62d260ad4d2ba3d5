using System.Collections;
using System.Runtime.CompilerServices;
using static TorchSharp.torch;

namespace TorchSharp.Utils;

/// <summary>Reads and writes the elements of a tensor on the CPU, in the order of its shape whatever its order in memory.</summary>
public sealed unsafe class TensorAccessor<T> : IDisposable, IEnumerable<T> where T : struct
{
    private readonly Tensor _tensor;
    private readonly long[] _shape;
    private readonly long[] _strides;
    private readonly nint _first;

    internal TensorAccessor(Tensor tensor)
    {
        if (tensor.device_type != DeviceType.CPU)
            throw new InvalidOperationException("Reading data from non-CPU memory is not supported. Move or copy the tensor to the cpu before reading.");
        if (!Fits(tensor.dtype)) throw new ArgumentException($"{typeof(T).Name} is not compatible with {tensor.dtype}");
        _tensor = tensor;
        _shape = tensor.shape;
        _strides = tensor.stride();
        _first = tensor.Address;
        Count = tensor.numel();
    }

    public long Count { get; }

    public bool IsReadOnly => false;

    public T this[params long[] indices]
    {
        get => At(Offset(indices));
        set => At(Offset(indices)) = value;
    }

    public T[] ToArray()
    {
        var array = new T[Count];
        CopyTo(array);
        return array;
    }

    public void CopyTo(T[] array, int arrayIndex = 0, long tensorIndex = 0) => CopyTo(array.AsSpan(), arrayIndex, tensorIndex);

    public void CopyTo(Span<T> array, int arrayIndex = 0, long tensorIndex = 0)
    {
        long count = Math.Min(array.Length - arrayIndex, Count - tensorIndex);
        if (_tensor.is_contiguous())
        {
            new Span<T>((void*)(_first + (nint)(tensorIndex * Unsafe.SizeOf<T>())), checked((int)count)).CopyTo(array[arrayIndex..]);
        }
        else
        {
            for (long i = 0; i < count; i++) array[arrayIndex + (int)i] = At(OffsetOf(tensorIndex + i));
        }

        GC.KeepAlive(this);
    }

    public void CopyFrom(T[] array, int arrayIndex = 0, long tensorIndex = 0) => CopyFrom((ReadOnlySpan<T>)array, arrayIndex, tensorIndex);

    public void CopyFrom(ReadOnlySpan<T> array, int arrayIndex = 0, long tensorIndex = 0)
    {
        long count = Math.Min(array.Length - arrayIndex, Count - tensorIndex);
        for (long i = 0; i < count; i++) At(OffsetOf(tensorIndex + i)) = array[arrayIndex + (int)i];
    }

    public IEnumerator<T> GetEnumerator() => ((IEnumerable<T>)ToArray()).GetEnumerator();

    IEnumerator IEnumerable.GetEnumerator() => GetEnumerator();

    public void Dispose() { }

    private static bool Fits(ScalarType type) => type switch
    {
        ScalarType.Byte => typeof(T) == typeof(byte),
        ScalarType.Int8 => typeof(T) == typeof(sbyte),
        ScalarType.Int16 => typeof(T) == typeof(short),
        ScalarType.Int32 => typeof(T) == typeof(int),
        ScalarType.Int64 => typeof(T) == typeof(long),
        ScalarType.Bool => typeof(T) == typeof(bool),
        ScalarType.Float16 => typeof(T) == typeof(Half),
        ScalarType.Float32 => typeof(T) == typeof(float),
        ScalarType.Float64 => typeof(T) == typeof(double),
        _ => throw Substitute.Lacks($"access to elements of the type {type}"),
    };

    private ref T At(long offset) => ref Unsafe.AsRef<T>((void*)(_first + (nint)(offset * Unsafe.SizeOf<T>())));

    private long Offset(long[] indices)
    {
        if (indices.Length != _shape.Length) throw new ArgumentException($"The tensor has {_shape.Length} dimensions, not {indices.Length}.", nameof(indices));
        long offset = 0;
        for (int i = 0; i < indices.Length; i++)
        {
            if (indices[i] < 0 || indices[i] >= _shape[i]) throw new IndexOutOfRangeException();
            offset += indices[i] * _strides[i];
        }

        return offset;
    }

    /// <summary>Where the element lies that is the so-manieth in the order of the shape.</summary>
    private long OffsetOf(long number)
    {
        long offset = 0;
        for (int i = _shape.Length - 1; i >= 0; i--)
        {
            offset += number % _shape[i] * _strides[i];
            number /= _shape[i];
        }

        return offset;
    }
}
