// What tensors of every element type have in common.

namespace Microsoft.ML.OnnxRuntime.Tensors;

public class TensorBase
{
    private protected TensorBase(Type elementType) => ElementType = elementType;

    internal Type ElementType { get; }
}
