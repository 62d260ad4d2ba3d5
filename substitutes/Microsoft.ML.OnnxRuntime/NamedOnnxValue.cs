// A tensor in managed memory under the name of an input or output.

using Microsoft.ML.OnnxRuntime.Tensors;

namespace Microsoft.ML.OnnxRuntime;

public class NamedOnnxValue
{
    internal NamedOnnxValue(string name, object value)
    {
        Name = name;
        Value = value;
    }

    public string Name { get; set; }

    public object Value { get; set; }

    public OnnxValueType ValueType => OnnxValueType.ONNX_TYPE_TENSOR;

    public static NamedOnnxValue CreateFromTensor<T>(string name, Tensor<T> value) => new(name, value);

    /// <summary>The tensor, or null if its elements are others.</summary>
    public Tensor<T> AsTensor<T>() => Value as Tensor<T>;

    /// <summary>The elements, or null if they are others.</summary>
    public IEnumerable<T> AsEnumerable<T>() => Value as IEnumerable<T>;

    internal OrtValue ToOrtValue() => TensorMarshal.ToOrtValue(Value);
}
