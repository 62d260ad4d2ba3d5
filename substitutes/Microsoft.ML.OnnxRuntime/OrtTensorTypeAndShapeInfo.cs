// What a tensor value holds and its sizes.

using Microsoft.ML.OnnxRuntime.Interop;
using Microsoft.ML.OnnxRuntime.Tensors;

namespace Microsoft.ML.OnnxRuntime;

public struct OrtTensorTypeAndShapeInfo
{
    private readonly TensorInfo _info;

    internal OrtTensorTypeAndShapeInfo(TensorInfo info) => _info = info;

    public TensorElementType ElementDataType => _info.Type;

    public bool IsString => _info.Type == TensorElementType.String;

    public int DimensionsCount => _info.Shape.Length;

    public long ElementCount => _info.Shape.Aggregate(1L, (product, size) => product * size);

    public long[] Shape => _info.Shape;
}
