// The overloads that nothing here needs: they are there so that a call binds as it does against the real package.

namespace Microsoft.ML.OnnxRuntime;

public partial class InferenceSession
{
    public InferenceSession(string modelPath, PrePackedWeightsContainer prepackedWeightsContainer) => throw new NotSupportedException();

    public InferenceSession(string modelPath, SessionOptions options, PrePackedWeightsContainer prepackedWeightsContainer)
        => throw new NotSupportedException();

    public InferenceSession(byte[] model, PrePackedWeightsContainer prepackedWeightsContainer) => throw new NotSupportedException();

    public InferenceSession(byte[] model, SessionOptions options, PrePackedWeightsContainer prepackedWeightsContainer)
        => throw new NotSupportedException();

    public void Run(
        RunOptions runOptions,
        IReadOnlyCollection<string> inputNames,
        IReadOnlyCollection<OrtValue> inputValues,
        IReadOnlyCollection<string> outputNames,
        IReadOnlyCollection<OrtValue> outputValues)
        => throw new NotSupportedException();

    public void Run(IReadOnlyCollection<NamedOnnxValue> inputs, IReadOnlyCollection<NamedOnnxValue> outputs) => throw new NotSupportedException();

    public void Run(IReadOnlyCollection<NamedOnnxValue> inputs, IReadOnlyCollection<NamedOnnxValue> outputs, RunOptions options)
        => throw new NotSupportedException();

    public void Run(IReadOnlyCollection<NamedOnnxValue> inputs, IReadOnlyCollection<string> outputNames, IReadOnlyCollection<FixedBufferOnnxValue> outputValues)
        => throw new NotSupportedException();

    public void Run(
        IReadOnlyCollection<NamedOnnxValue> inputs,
        IReadOnlyCollection<string> outputNames,
        IReadOnlyCollection<FixedBufferOnnxValue> outputValues,
        RunOptions options)
        => throw new NotSupportedException();

    public void Run(IReadOnlyCollection<string> inputNames, IReadOnlyCollection<FixedBufferOnnxValue> inputValues, IReadOnlyCollection<NamedOnnxValue> outputs)
        => throw new NotSupportedException();

    public void Run(
        IReadOnlyCollection<string> inputNames,
        IReadOnlyCollection<FixedBufferOnnxValue> inputValues,
        IReadOnlyCollection<NamedOnnxValue> outputs,
        RunOptions options)
        => throw new NotSupportedException();

    public void Run(
        IReadOnlyCollection<string> inputNames,
        IReadOnlyCollection<FixedBufferOnnxValue> inputValues,
        IReadOnlyCollection<string> outputNames,
        IReadOnlyCollection<FixedBufferOnnxValue> outputValues)
        => throw new NotSupportedException();

    public void Run(
        IReadOnlyCollection<string> inputNames,
        IReadOnlyCollection<FixedBufferOnnxValue> inputValues,
        IReadOnlyCollection<string> outputNames,
        IReadOnlyCollection<FixedBufferOnnxValue> outputValues,
        RunOptions options)
        => throw new NotSupportedException();

    public IDisposableReadOnlyCollection<DisposableNamedOnnxValue> Run(
        IReadOnlyCollection<string> inputNames, IReadOnlyCollection<FixedBufferOnnxValue> inputValues)
        => throw new NotSupportedException();

    public IDisposableReadOnlyCollection<DisposableNamedOnnxValue> Run(
        IReadOnlyCollection<string> inputNames, IReadOnlyCollection<FixedBufferOnnxValue> inputValues, IReadOnlyCollection<string> outputNames)
        => throw new NotSupportedException();

    public IDisposableReadOnlyCollection<DisposableNamedOnnxValue> Run(
        IReadOnlyCollection<string> inputNames,
        IReadOnlyCollection<FixedBufferOnnxValue> inputValues,
        IReadOnlyCollection<string> outputNames,
        RunOptions options)
        => throw new NotSupportedException();
}
