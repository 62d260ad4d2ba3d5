// A loaded model.

using Microsoft.ML.OnnxRuntime.Interop;

namespace Microsoft.ML.OnnxRuntime;

public unsafe partial class InferenceSession : IDisposable
{
    private readonly SessionHandle _handle;

    public InferenceSession(string modelPath)
        : this(OpenFile(modelPath, null))
    {
    }

    public InferenceSession(string modelPath, SessionOptions options)
        : this(OpenFile(modelPath, options))
    {
    }

    public InferenceSession(byte[] model)
        : this(OpenBytes(model, null))
    {
    }

    public InferenceSession(byte[] model, SessionOptions options)
        : this(OpenBytes(model, options))
    {
    }

    private InferenceSession(SessionHandle handle)
    {
        _handle = handle;
        nint session = handle.DangerousGetHandle();
        (InputNames, InputMetadata) = Describe(session, NativeApi.SessionGetInputCount, NativeApi.SessionGetInputName, NativeApi.SessionGetInputTypeInfo);
        (OutputNames, OutputMetadata) = Describe(session, NativeApi.SessionGetOutputCount, NativeApi.SessionGetOutputName, NativeApi.SessionGetOutputTypeInfo);
        ModelMetadata = new ModelMetadata(session);
    }

    private delegate nint Counter(nint session, nuint* count);

    private delegate nint NameReader(nint session, nuint index, nint allocator, nint* name);

    private delegate nint TypeReader(nint session, nuint index, nint* type);

    public IReadOnlyList<string> InputNames { get; }

    public IReadOnlyList<string> OutputNames { get; }

    public IReadOnlyDictionary<string, NodeMetadata> InputMetadata { get; }

    public IReadOnlyDictionary<string, NodeMetadata> OutputMetadata { get; }

    public ModelMetadata ModelMetadata { get; }

    public IDisposableReadOnlyCollection<OrtValue> Run(
        RunOptions runOptions, IReadOnlyDictionary<string, OrtValue> inputs, IReadOnlyCollection<string> outputNames)
        => Run(runOptions, [.. inputs.Keys], [.. inputs.Values], outputNames);

    public IDisposableReadOnlyCollection<OrtValue> Run(
        RunOptions runOptions, IReadOnlyCollection<string> inputNames, IReadOnlyCollection<OrtValue> inputValues, IReadOnlyCollection<string> outputNames)
    {
        ObjectDisposedException.ThrowIf(_handle.IsClosed, this);
        if (inputNames.Count != inputValues.Count)
            throw new ArgumentException($"{inputNames.Count} names do not name {inputValues.Count} inputs.", nameof(inputNames));
        CheckNames(inputNames, InputMetadata, "input");
        CheckNames(outputNames, OutputMetadata, "output");

        using var asked = new Utf8List(inputNames);
        using var wanted = new Utf8List(outputNames);
        nint[] values = [.. inputValues.Select(value => value.Pointer)];
        var results = new nint[outputNames.Count];
        fixed (nint* names = asked.Pointers, inputs = values, outputs = wanted.Pointers, made = results)
        {
            Status.Check(NativeApi.Run(
                _handle.DangerousGetHandle(), runOptions?.DangerousGetHandle() ?? 0, names, inputs, (nuint)values.Length, outputs, (nuint)results.Length, made));
        }

        GC.KeepAlive(this);
        GC.KeepAlive(inputValues);
        GC.KeepAlive(runOptions);
        return new DisposableList<OrtValue>(results.Select(result => new OrtValue(result)));
    }

    public IDisposableReadOnlyCollection<DisposableNamedOnnxValue> Run(IReadOnlyCollection<NamedOnnxValue> inputs) => Run(inputs, [.. OutputNames]);

    public IDisposableReadOnlyCollection<DisposableNamedOnnxValue> Run(IReadOnlyCollection<NamedOnnxValue> inputs, IReadOnlyCollection<string> outputNames)
        => Run(inputs, outputNames, (RunOptions)null);

    public IDisposableReadOnlyCollection<DisposableNamedOnnxValue> Run(
        IReadOnlyCollection<NamedOnnxValue> inputs, IReadOnlyCollection<string> outputNames, RunOptions options)
    {
        using var values = new DisposableList<OrtValue>([]);
        foreach (NamedOnnxValue input in inputs) values.Add(input.ToOrtValue());
        using IDisposableReadOnlyCollection<OrtValue> results = Run(options, [.. inputs.Select(input => input.Name)], values, outputNames);
        return new DisposableList<DisposableNamedOnnxValue>(outputNames.Zip(results, (name, result) => new DisposableNamedOnnxValue(name, result)));
    }

    public void Dispose()
    {
        Dispose(true);
        GC.SuppressFinalize(this);
    }

    protected virtual void Dispose(bool disposing)
    {
        if (disposing) _handle.Dispose();
    }

    private static SessionHandle OpenFile(string path, SessionOptions options)
    {
        nint made;
        using SessionOptions defaults = options is null ? new SessionOptions() : null;
        fixed (byte* name = Utf8.Bytes(path)) Status.Check(NativeApi.CreateSession(OrtEnv.Instance().Pointer, name, (options ?? defaults).Pointer, &made));
        return new SessionHandle(made);
    }

    private static SessionHandle OpenBytes(byte[] model, SessionOptions options)
    {
        nint made;
        using SessionOptions defaults = options is null ? new SessionOptions() : null;
        fixed (byte* bytes = model)
        {
            Status.Check(NativeApi.CreateSessionFromArray(
                OrtEnv.Instance().Pointer, bytes, (nuint)model.Length, (options ?? defaults).Pointer, &made));
        }

        return new SessionHandle(made);
    }

    private static (IReadOnlyList<string> Names, IReadOnlyDictionary<string, NodeMetadata> Metadata) Describe(
        nint session, Counter counter, NameReader nameOf, TypeReader typeOf)
    {
        nuint count;
        Status.Check(counter(session, &count));
        var names = new List<string>();
        var metadata = new Dictionary<string, NodeMetadata>();
        for (nuint i = 0; i < count; i++)
        {
            nint name, type;
            Status.Check(nameOf(session, i, Memory.Allocator, &name));
            names.Add(Utf8.Take(name));
            Status.Check(typeOf(session, i, &type));
            metadata[names[^1]] = NodeMetadata.Take(type);
        }

        return (names, metadata);
    }

    private static void CheckNames(IEnumerable<string> names, IReadOnlyDictionary<string, NodeMetadata> known, string role)
    {
        foreach (string name in names)
        {
            if (!known.ContainsKey(name))
                throw new OnnxRuntimeException(ErrorCode.InvalidArgument, $"The model has no {role} '{name}', only {string.Join(", ", known.Keys)}.");
        }
    }
}
