using Microsoft.ML.OnnxRuntime;
using Microsoft.ML.OnnxRuntime.Tensors;

namespace Microsoft.ML.Distillation.Onnx;

/// <summary>An input of a graph.</summary>
/// <param name="Values">An array of the input's element type, in row-major order.</param>
internal sealed record OnnxInput(string Name, Array Values, long[] Shape)
{
    /// <summary>The value as ONNX Runtime takes it, over the array's own memory.</summary>
    public OrtValue ToValue() => Values switch
    {
        byte[] bytes => OrtValue.CreateTensorValueFromMemory(bytes, Shape),
        float[] floats => OrtValue.CreateTensorValueFromMemory(floats, Shape),
        long[] integers => OrtValue.CreateTensorValueFromMemory(integers, Shape),
        int[] integers => OrtValue.CreateTensorValueFromMemory(integers, Shape),
        Float16[] halves => OrtValue.CreateTensorValueFromMemory(halves, Shape),
        bool[] flags => OrtValue.CreateTensorValueFromMemory(flags, Shape),
        _ => throw new NotSupportedException($"The input '{Name}' is of {Values.GetType().GetElementType()}."),
    };
}

/// <summary>Runs an ONNX model in ONNX Runtime. Knows tensors, no detector. Several threads may run it at once.</summary>
internal sealed class OnnxSession : IDisposable
{
    private readonly InferenceSession _session;

    /// <param name="model">The content of an .onnx file.</param>
    /// <param name="source">Where it comes from, for messages.</param>
    public OnnxSession(byte[] model, SessionSettings? settings = null, string source = "the model")
        => (_session, Fallback) = (settings ?? new SessionSettings()).Open(source, options => new InferenceSession(model, options));

    /// <summary>Why the CPU runs the model where a GPU should; <see langword="null"/>: it runs where it should.</summary>
    public string? Fallback { get; }

    /// <summary>An input of the model.</summary>
    public static OnnxInput Input<T>(string name, T[] values, params long[] shape) where T : unmanaged => new(name, values, shape);

    /// <summary>Runs the model.</summary>
    /// <returns>The outputs by name, flat: arrays of the type of each output.</returns>
    public Dictionary<string, Array> Run(params OnnxInput[] inputs) => Run(inputs, CancellationToken.None);

    /// <inheritdoc cref="Run(OnnxInput[])"/>
    /// <exception cref="OperationCanceledException">The run was cancelled; it ends in its midst.</exception>
    public Dictionary<string, Array> Run(IReadOnlyList<OnnxInput> inputs, CancellationToken cancellation)
    {
        Dictionary<string, OrtValue> values = inputs.ToDictionary(input => input.Name, input => input.ToValue());
        try
        {
            using IDisposableReadOnlyCollection<OrtValue> outputs = Cancellable.Run(_session, values, _session.OutputNames, cancellation);
            return _session.OutputNames.Zip(outputs).ToDictionary(pair => pair.First, pair => Read(pair.First, pair.Second));
        }
        finally
        {
            foreach (OrtValue value in values.Values) value.Dispose();
        }
    }

    /// <inheritdoc/>
    public void Dispose() => _session.Dispose();

    private static Array Read(string name, OrtValue value) => value.GetTensorTypeAndShape().ElementDataType switch
    {
        TensorElementType.Float => value.GetTensorDataAsSpan<float>().ToArray(),
        TensorElementType.Int64 => value.GetTensorDataAsSpan<long>().ToArray(),
        _ => throw new NotSupportedException($"The output '{name}' is neither of floats nor of 64-bit integers."),
    };
}

/// <summary>Runs sessions so that they can be cancelled in their midst.</summary>
internal static class Cancellable
{
    /// <exception cref="OperationCanceledException">The run was cancelled.</exception>
    public static IDisposableReadOnlyCollection<OrtValue> Run(
        InferenceSession session, IReadOnlyDictionary<string, OrtValue> inputs, IReadOnlyCollection<string> outputs,
        CancellationToken cancellation)
    {
        cancellation.ThrowIfCancellationRequested();
        using var options = new RunOptions();
        using CancellationTokenRegistration registration = cancellation.Register(() => options.Terminate = true);
        try
        {
            return session.Run(options, inputs, outputs);
        }
        catch (OnnxRuntimeException) when (cancellation.IsCancellationRequested)
        {
            throw new OperationCanceledException(cancellation);
        }
    }
}
