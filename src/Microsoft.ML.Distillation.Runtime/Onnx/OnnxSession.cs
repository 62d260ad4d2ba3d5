using Microsoft.ML.OnnxRuntime;
using Microsoft.ML.OnnxRuntime.Tensors;

namespace Microsoft.ML.Distillation.Onnx;

/// <summary>Runs an ONNX model in ONNX Runtime on the CPU. Knows tensors, no detector.</summary>
internal sealed class OnnxSession : IDisposable
{
    private readonly InferenceSession _session;

    /// <param name="model">The content of an .onnx file.</param>
    /// <param name="asWritten">
    /// Whether to run the graph as it is written: rounding between layers, arithmetic in floats. Otherwise ONNX Runtime may compute with
    /// integers what stands between a DequantizeLinear and a QuantizeLinear, which moves a few values to a neighbouring step.
    /// </param>
    public OnnxSession(byte[] model, bool asWritten = false)
    {
        using var options = new SessionOptions();
        if (asWritten) options.AddSessionConfigEntry("session.disable_quant_qdq", "1");
        _session = new InferenceSession(model, options);
    }

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
