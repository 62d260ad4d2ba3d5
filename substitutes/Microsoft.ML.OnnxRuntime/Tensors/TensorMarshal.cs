// Between managed tensors, whose element type is known at run time only, and values of ONNX Runtime.

using Microsoft.ML.OnnxRuntime.Interop;

namespace Microsoft.ML.OnnxRuntime.Tensors;

internal static class TensorMarshal
{
    public static OrtValue ToOrtValue(object tensor) => tensor switch
    {
        Tensor<float> t => Pin(t),
        Tensor<byte> t => Pin(t),
        Tensor<sbyte> t => Pin(t),
        Tensor<ushort> t => Pin(t),
        Tensor<short> t => Pin(t),
        Tensor<int> t => Pin(t),
        Tensor<long> t => Pin(t),
        Tensor<string> t => OrtValue.CreateFromStringTensor(t),
        Tensor<bool> t => Pin(t),
        Tensor<Float16> t => Pin(t),
        Tensor<double> t => Pin(t),
        Tensor<uint> t => Pin(t),
        Tensor<ulong> t => Pin(t),
        _ => throw new NotSupportedException($"{tensor?.GetType().ToString() ?? "null"} is no tensor that a model takes."),
    };

    public static TensorBase ToTensor(OrtValue value)
    {
        if (!value.IsTensor) throw new NotSupportedException($"An output that is {value.OnnxType}, not a tensor, is not supported here.");
        TensorElementType type = value.GetTensorTypeAndShape().ElementDataType;
        return type switch
        {
            TensorElementType.Float => Copy<float>(value),
            TensorElementType.UInt8 => Copy<byte>(value),
            TensorElementType.Int8 => Copy<sbyte>(value),
            TensorElementType.UInt16 => Copy<ushort>(value),
            TensorElementType.Int16 => Copy<short>(value),
            TensorElementType.Int32 => Copy<int>(value),
            TensorElementType.Int64 => Copy<long>(value),
            TensorElementType.String => Shaped(value, value.GetStringTensorAsArray()),
            TensorElementType.Bool => Copy<bool>(value),
            TensorElementType.Float16 => Copy<Float16>(value),
            TensorElementType.Double => Copy<double>(value),
            TensorElementType.UInt32 => Copy<uint>(value),
            TensorElementType.UInt64 => Copy<ulong>(value),
            _ => throw new NotSupportedException($"Tensors of {type} are not supported here."),
        };
    }

    private static OrtValue Pin<T>(Tensor<T> tensor)
    {
        if (tensor.IsReversedStride) throw new OnnxRuntimeException(ErrorCode.NotImplemented, "A tensor with reversed strides cannot be an input.");
        DenseTensor<T> dense = tensor as DenseTensor<T> ?? tensor.ToDenseTensor();
        return OrtValue.FromMemory(dense.Buffer, Array.ConvertAll(dense.Dimensions.ToArray(), size => (long)size));
    }

    private static DenseTensor<T> Copy<T>(OrtValue value)
        where T : struct
        => Shaped(value, value.GetTensorDataAsSpan<T>().ToArray());

    private static DenseTensor<T> Shaped<T>(OrtValue value, T[] elements)
        => new(elements, Array.ConvertAll(value.GetTensorTypeAndShape().Shape, size => checked((int)size)));
}
