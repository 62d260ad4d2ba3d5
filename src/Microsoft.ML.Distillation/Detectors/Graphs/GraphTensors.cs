using System.Runtime.InteropServices;
using Google.Protobuf;
using Microsoft.ML.Distillation.Files;
using Microsoft.ML.Distillation.Onnx.Proto;
using static Microsoft.ML.Distillation.Onnx.Proto.TensorProto.Types;
using static TorchSharp.torch;

namespace Microsoft.ML.Distillation.Detectors.Graphs;

/// <summary>Tensors as ONNX files store them.</summary>
internal static class GraphTensors
{
    // A file holds two gigabytes at most.
    private const long MostValues = 1L << 31;

    /// <summary>Whether the values are there, not the shape alone.</summary>
    public static bool HasData(TensorProto tensor) => Count(tensor) == 0 || tensor.RawData.Length > 0 || tensor.FloatData.Count > 0
        || tensor.Int64Data.Count > 0 || tensor.Int32Data.Count > 0 || tensor.DoubleData.Count > 0;

    /// <summary>Whether the values are real numbers.</summary>
    public static bool IsFloating(TensorProto tensor) => (DataType)tensor.DataType is DataType.Float or DataType.Double or DataType.Float16;

    /// <summary>The number of values.</summary>
    /// <exception cref="FormatException">The sides are none that a tensor of a file can have.</exception>
    public static long Count(TensorProto tensor)
    {
        // Sides of 0 make nothing of the others, which libtorch multiplies all the same.
        long others = 1;
        foreach (long size in tensor.Dims)
        {
            if (size < 0 || size > MostValues / others) throw new FormatException(
                $"The tensor '{ShortText.Of(tensor.Name)}' has the shape {ShortText.Of(tensor.Dims)}, which cannot be.");
            others *= Math.Max(size, 1);
        }

        return tensor.Dims.Contains(0) ? 0 : others;
    }

    /// <summary>The tensor, on the CPU; zeros where the values are not there. Real numbers become single precision.</summary>
    /// <exception cref="FormatException">Its sides cannot be.</exception>
    /// <exception cref="NotSupportedException">They are of a kind that is not supported, or lie in another file.</exception>
    public static Tensor Read(TensorProto tensor)
    {
        long[] shape = [.. tensor.Dims];
        if (tensor.DataLocation == DataLocation.External)
            throw new NotSupportedException($"The values of '{tensor.Name}' lie in another file; store the model in one.");
        var type = (DataType)tensor.DataType;
        if (!HasData(tensor) || Count(tensor) == 0) return zeros(shape, type switch
        {
            DataType.Int64 => ScalarType.Int64,
            DataType.Int32 => ScalarType.Int32,
            DataType.Bool => ScalarType.Bool,
            _ => ScalarType.Float32,
        });
        return type switch
        {
            DataType.Float => Make(Values<float>(tensor, tensor.FloatData), shape),
            DataType.Double => Make(Array.ConvertAll(Values<double>(tensor, tensor.DoubleData), v => (float)v), shape),
            DataType.Float16 => Make(Halves(tensor), shape),
            DataType.Int64 => Make(Values<long>(tensor, tensor.Int64Data), shape),
            DataType.Int32 => Make(Values<int>(tensor, tensor.Int32Data), shape),
            DataType.Bool => Make(Array.ConvertAll(Bytes(tensor), v => v != 0), shape),
            DataType.Uint8 => Make(Bytes(tensor), shape),
            _ => throw new NotSupportedException($"'{tensor.Name}' holds numbers of the type {type}, which is not supported."),
        };
    }

    /// <summary>A tensor as it is stored.</summary>
    public static TensorProto Write(string name, Tensor tensor)
    {
        using var scope = TorchSharp.torch.NewDisposeScope();
        Tensor plain = tensor.detach().cpu();
        DataType type = plain.dtype switch
        {
            ScalarType.Int64 => DataType.Int64,
            ScalarType.Int32 => DataType.Int32,
            ScalarType.Bool => DataType.Bool,
            ScalarType.Byte => DataType.Uint8,
            _ => DataType.Float,
        };
        if (type == DataType.Float) plain = plain.to(ScalarType.Float32);
        var proto = new TensorProto { Name = name, DataType = (int)type };
        proto.Dims.AddRange(plain.shape);
        plain = plain.contiguous();
        proto.RawData = plain.numel() == 0 ? ByteString.Empty : ByteString.CopyFrom(plain.bytes);
        GC.KeepAlive(plain);
        return proto;
    }

    /// <summary>A vector of integers as it is stored.</summary>
    public static TensorProto Integers(string name, params ReadOnlySpan<long> values)
    {
        var proto = new TensorProto
        {
            Name = name,
            DataType = (int)DataType.Int64,
            RawData = ByteString.CopyFrom(MemoryMarshal.AsBytes(values)),
        };
        proto.Dims.Add(values.Length);
        return proto;
    }

    /// <summary>Real numbers as they are stored.</summary>
    public static TensorProto Floats(string name, ReadOnlySpan<float> values, params ReadOnlySpan<long> shape)
    {
        var proto = new TensorProto
        {
            Name = name,
            DataType = (int)DataType.Float,
            RawData = ByteString.CopyFrom(MemoryMarshal.AsBytes(values)),
        };
        foreach (long size in shape) proto.Dims.Add(size);
        return proto;
    }

    private static Tensor Make<T>(T[] values, long[] shape) where T : unmanaged
    {
        long count = shape.Aggregate(1L, (product, size) => product * size);
        if (values.Length != count) throw new FormatException(
            $"A tensor of the graph holds {values.Length} values where its shape [{string.Join(',', shape)}] wants {count}.");
        return from_array(values).reshape(shape);
    }

    private static T[] Values<T>(TensorProto tensor, IEnumerable<T> typed) where T : unmanaged
        => tensor.RawData.Length > 0 ? MemoryMarshal.Cast<byte, T>(tensor.RawData.Span).ToArray() : [.. typed];

    private static byte[] Bytes(TensorProto tensor)
        => tensor.RawData.Length > 0 ? tensor.RawData.ToByteArray() : [.. tensor.Int32Data.Select(v => (byte)v)];

    private static float[] Halves(TensorProto tensor) => tensor.RawData.Length > 0
        ? Array.ConvertAll(MemoryMarshal.Cast<byte, Half>(tensor.RawData.Span).ToArray(), v => (float)v)
        : [.. tensor.Int32Data.Select(v => (float)BitConverter.UInt16BitsToHalf((ushort)v))];
}
