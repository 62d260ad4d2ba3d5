// An output under its name, copied into managed memory.

using Microsoft.ML.OnnxRuntime.Tensors;

namespace Microsoft.ML.OnnxRuntime;

public class DisposableNamedOnnxValue : NamedOnnxValue, IDisposable
{
    internal DisposableNamedOnnxValue(string name, OrtValue value)
        : base(name, TensorMarshal.ToTensor(value)) => ElementType = value.GetTensorTypeAndShape().ElementDataType;

    public TensorElementType ElementType { get; }

    public void Dispose()
    {
        Dispose(true);
        GC.SuppressFinalize(this);
    }

    // The tensor is managed memory: there is nothing to give back.
    protected virtual void Dispose(bool disposing)
    {
    }
}
