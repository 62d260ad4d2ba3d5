// What an input or output of a model is.

using Microsoft.ML.OnnxRuntime.Interop;
using Microsoft.ML.OnnxRuntime.Tensors;

namespace Microsoft.ML.OnnxRuntime;

public class NodeMetadata
{
    private readonly TensorInfo _tensor;

    internal NodeMetadata(OnnxValueType type, TensorInfo tensor)
    {
        OnnxValueType = type;
        _tensor = tensor;
    }

    public OnnxValueType OnnxValueType { get; }

    public bool IsTensor => _tensor is not null;

    public bool IsString => Tensor.Type == TensorElementType.String;

    public TensorElementType ElementDataType => Tensor.Type;

    public Type ElementType => ElementTypes.TypeOf(Tensor.Type);

    /// <summary>The sizes; -1 where any size will do.</summary>
    public int[] Dimensions => Array.ConvertAll(Tensor.Shape, size => checked((int)size));

    /// <summary>The names of the sizes that the model leaves open; empty for others.</summary>
    public string[] SymbolicDimensions => Tensor.Symbols;

    private TensorInfo Tensor => _tensor ?? throw new OnnxRuntimeException(ErrorCode.Fail, $"This is no tensor but {OnnxValueType}.");

    /// <summary>Reads a description and releases it.</summary>
    internal static unsafe NodeMetadata Take(nint type)
    {
        try
        {
            int kind;
            nint tensor = 0;
            Status.Check(NativeApi.GetOnnxTypeFromTypeInfo(type, &kind));
            if ((OnnxValueType)kind is OnnxValueType.ONNX_TYPE_TENSOR or OnnxValueType.ONNX_TYPE_SPARSETENSOR)
                Status.Check(NativeApi.CastTypeInfoToTensorInfo(type, &tensor));
            return new NodeMetadata((OnnxValueType)kind, tensor == 0 ? null : TensorInfo.Read(tensor));
        }
        finally
        {
            NativeApi.ReleaseTypeInfo(type);
        }
    }
}
