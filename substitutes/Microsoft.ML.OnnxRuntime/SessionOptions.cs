// How a session loads and runs its model: threads, optimisation, logging, providers.

using System.Runtime.InteropServices;
using Microsoft.ML.OnnxRuntime.Interop;

namespace Microsoft.ML.OnnxRuntime;

public unsafe class SessionOptions : SafeHandle
{
    private int _intraOpNumThreads;
    private int _interOpNumThreads;
    private ExecutionMode _executionMode;
    private GraphOptimizationLevel _graphOptimizationLevel = GraphOptimizationLevel.ORT_ENABLE_ALL;
    private OrtLoggingLevel _logSeverityLevel = OrtLoggingLevel.ORT_LOGGING_LEVEL_WARNING;

    public SessionOptions()
        : base(0, ownsHandle: true)
    {
        nint made;
        Status.Check(NativeApi.CreateSessionOptions(&made));
        SetHandle(made);
    }

    public override bool IsInvalid => handle == 0;

    /// <summary>Threads within one operator; 0 lets ONNX Runtime choose.</summary>
    public int IntraOpNumThreads
    {
        get => _intraOpNumThreads;
        set
        {
            Status.Check(NativeApi.SetIntraOpNumThreads(handle, value));
            _intraOpNumThreads = value;
        }
    }

    /// <summary>Threads across operators; 0 lets ONNX Runtime choose.</summary>
    public int InterOpNumThreads
    {
        get => _interOpNumThreads;
        set
        {
            Status.Check(NativeApi.SetInterOpNumThreads(handle, value));
            _interOpNumThreads = value;
        }
    }

    public ExecutionMode ExecutionMode
    {
        get => _executionMode;
        set
        {
            Status.Check(NativeApi.SetSessionExecutionMode(handle, (int)value));
            _executionMode = value;
        }
    }

    public GraphOptimizationLevel GraphOptimizationLevel
    {
        get => _graphOptimizationLevel;
        set
        {
            Status.Check(NativeApi.SetSessionGraphOptimizationLevel(handle, (int)value));
            _graphOptimizationLevel = value;
        }
    }

    public OrtLoggingLevel LogSeverityLevel
    {
        get => _logSeverityLevel;
        set
        {
            Status.Check(NativeApi.SetSessionLogSeverityLevel(handle, (int)value));
            _logSeverityLevel = value;
        }
    }

    internal nint Pointer => handle;

    public static SessionOptions MakeSessionOptionWithCudaProvider(int deviceId = 0)
    {
        var options = new SessionOptions();
        try
        {
            options.AppendExecutionProvider_CUDA(deviceId);
            return options;
        }
        catch
        {
            options.Dispose();
            throw;
        }
    }

    public static SessionOptions MakeSessionOptionWithCudaProvider(OrtCUDAProviderOptions cudaProviderOptions) => throw new NotSupportedException();

    public void AddSessionConfigEntry(string configKey, string configValue)
    {
        fixed (byte* key = Utf8.Bytes(configKey))
        fixed (byte* value = Utf8.Bytes(configValue))
            Status.Check(NativeApi.AddSessionConfigEntry(handle, key, value));
    }

    /// <exception cref="EntryPointNotFoundException">The native library was built without CUDA.</exception>
    /// <exception cref="OnnxRuntimeException">The machine has no such GPU, or not the libraries that CUDA needs.</exception>
    public void AppendExecutionProvider_CUDA(int deviceId = 0)
        => Status.Check(((delegate* unmanaged<nint, int, nint>)NativeApi.Export("OrtSessionOptionsAppendExecutionProvider_CUDA"))(handle, deviceId));

    public void AppendExecutionProvider_CUDA(OrtCUDAProviderOptions cudaProviderOptions) => throw new NotSupportedException();

    protected override bool ReleaseHandle()
    {
        NativeApi.ReleaseSessionOptions(handle);
        return true;
    }
}
