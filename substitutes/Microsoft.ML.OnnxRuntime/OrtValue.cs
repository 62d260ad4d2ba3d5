// A value that goes into or comes out of a session: a tensor over managed memory, or one that ONNX Runtime made.

using System.Buffers;
using System.Runtime.CompilerServices;
using System.Text;
using Microsoft.ML.OnnxRuntime.Interop;
using Microsoft.ML.OnnxRuntime.Tensors;

namespace Microsoft.ML.OnnxRuntime;

public unsafe class OrtValue : IDisposable
{
    private readonly ValueHandle _handle;

    internal OrtValue(nint value, MemoryHandle pin = default)
    {
        _handle = new ValueHandle(value, pin);
        int kind;
        Status.Check(NativeApi.GetValueType(value, &kind));
        OnnxType = (OnnxValueType)kind;
    }

    public OnnxValueType OnnxType { get; }

    public bool IsTensor => OnnxType == OnnxValueType.ONNX_TYPE_TENSOR;

    public bool IsSparseTensor => OnnxType == OnnxValueType.ONNX_TYPE_SPARSETENSOR;

    internal nint Pointer
    {
        get
        {
            ObjectDisposedException.ThrowIf(_handle.IsClosed, this);
            return _handle.DangerousGetHandle();
        }
    }

    /// <summary>A tensor over the array itself, which stays pinned until the value is disposed.</summary>
    public static OrtValue CreateTensorValueFromMemory<T>(T[] data, long[] shape)
        where T : struct
        => FromMemory(data.AsMemory(), shape);

    public static OrtValue CreateTensorValueFromMemory<T>(OrtMemoryInfo memoryInfo, Memory<T> memory, long[] shape)
        where T : struct
        => throw new NotSupportedException();

    public static OrtValue CreateFromStringTensor(Tensor<string> tensor)
    {
        long[] shape = Array.ConvertAll(tensor.Dimensions.ToArray(), size => (long)size);
        nint made;
        fixed (long* sizes = shape)
            Status.Check(NativeApi.CreateTensorAsOrtValue(Memory.Allocator, sizes, (nuint)shape.Length, (int)TensorElementType.String, &made));
        var value = new OrtValue(made);
        using var texts = new Utf8List(tensor);
        fixed (nint* strings = texts.Pointers) Status.Check(NativeApi.FillStringTensor(made, strings, (nuint)texts.Pointers.Length));
        return value;
    }

    public OrtTensorTypeAndShapeInfo GetTensorTypeAndShape() => new(ReadInfo());

    /// <summary>The elements, in ONNX Runtime's memory: valid until the value is disposed.</summary>
    public ReadOnlySpan<T> GetTensorDataAsSpan<T>()
        where T : struct
        => GetTensorMutableDataAsSpan<T>();

    public Span<T> GetTensorMutableDataAsSpan<T>()
        where T : struct
    {
        OrtTensorTypeAndShapeInfo info = GetTensorTypeAndShape();
        if (info.ElementDataType != ElementTypes.Of(typeof(T)))
            throw new OnnxRuntimeException(ErrorCode.InvalidArgument, $"The tensor's elements are {info.ElementDataType}, not {typeof(T)}.");
        void* data;
        Status.Check(NativeApi.GetTensorMutableData(Pointer, &data));
        return new Span<T>(data, checked((int)info.ElementCount));
    }

    public string[] GetStringTensorAsArray()
    {
        OrtTensorTypeAndShapeInfo info = GetTensorTypeAndShape();
        if (!info.IsString) throw new OnnxRuntimeException(ErrorCode.InvalidArgument, $"The tensor's elements are {info.ElementDataType}, not texts.");
        nuint bytes;
        Status.Check(NativeApi.GetStringTensorDataLength(Pointer, &bytes));
        var text = new byte[bytes];
        var offsets = new nuint[info.ElementCount];
        fixed (byte* start = text)
        fixed (nuint* starts = offsets)
            Status.Check(NativeApi.GetStringTensorContent(Pointer, start, bytes, starts, (nuint)offsets.Length));
        GC.KeepAlive(this);
        return [.. offsets.Select((from, i) => Encoding.UTF8.GetString(text.AsSpan((int)from..(i + 1 < offsets.Length ? (int)offsets[i + 1] : text.Length))))];
    }

    public void Dispose()
    {
        Dispose(true);
        GC.SuppressFinalize(this);
    }

    internal static OrtValue FromMemory<T>(Memory<T> memory, long[] shape)
    {
        if (RuntimeHelpers.IsReferenceOrContainsReferences<T>()) throw new NotSupportedException($"No tensor lies over memory of {typeof(T)}.");
        TensorElementType type = ElementTypes.Of(typeof(T));
        MemoryHandle pin = memory.Pin();
        try
        {
            nint made;
            fixed (long* sizes = shape)
            {
                Status.Check(NativeApi.CreateTensorWithDataAsOrtValue(
                    Memory.Cpu, pin.Pointer, (nuint)memory.Length * (nuint)Unsafe.SizeOf<T>(), sizes, (nuint)shape.Length, (int)type, &made));
            }

            return new OrtValue(made, pin);
        }
        catch
        {
            pin.Dispose();
            throw;
        }
    }

    protected virtual void Dispose(bool disposing)
    {
        if (disposing) _handle.Dispose();
    }

    private TensorInfo ReadInfo()
    {
        nint info;
        Status.Check(NativeApi.GetTensorTypeAndShape(Pointer, &info));
        try
        {
            return TensorInfo.Read(info);
        }
        finally
        {
            NativeApi.ReleaseTensorTypeAndShapeInfo(info);
            GC.KeepAlive(this);
        }
    }
}
