using Microsoft.ML.OnnxRuntime;
using Microsoft.ML.OnnxRuntime.Tensors;

namespace Microsoft.ML.Distillation.Onnx;

/// <summary>Runs an ONNX model in ONNX Runtime on the CPU. Knows tensors, no detector.</summary>
internal sealed class OnnxSession : IDisposable
{
    private readonly InferenceSession _session;

    /// <param name="model">The content of an .onnx file.</param>
    public OnnxSession(byte[] model) => _session = new InferenceSession(model);

    /// <summary>An input of the model.</summary>
    public static NamedOnnxValue Input<T>(string name, T[] values, params ReadOnlySpan<int> shape)
        => NamedOnnxValue.CreateFromTensor(name, new DenseTensor<T>(values, shape));

    /// <summary>Runs the model.</summary>
    /// <returns>The outputs by name, flat: arrays of the type of each output.</returns>
    public Dictionary<string, Array> Run(params IReadOnlyCollection<NamedOnnxValue> inputs)
    {
        using IDisposableReadOnlyCollection<DisposableNamedOnnxValue> outputs = _session.Run(inputs);
        return outputs.ToDictionary(o => o.Name, o => o.Value switch
        {
            Tensor<float> floats => floats.ToArray(),
            Tensor<long> integers => (Array)integers.ToArray(),
            _ => throw new NotSupportedException($"The output '{o.Name}' is neither of floats nor of 64-bit integers."),
        });
    }

    /// <inheritdoc/>
    public void Dispose() => _session.Dispose();
}
