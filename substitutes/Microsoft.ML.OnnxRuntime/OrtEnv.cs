// The process's one environment.

using System.Runtime.InteropServices;
using Microsoft.ML.OnnxRuntime.Interop;

namespace Microsoft.ML.OnnxRuntime;

public sealed unsafe class OrtEnv : SafeHandle
{
    private static readonly Lazy<OrtEnv> TheInstance = new(() => new OrtEnv());

    private OrtEnv()
        : base(0, ownsHandle: true)
    {
        nint made;
        fixed (byte* id = Utf8.Bytes("CSharpOnnxRuntime"))
            Status.Check(NativeApi.CreateEnv((int)OrtLoggingLevel.ORT_LOGGING_LEVEL_WARNING, id, &made));
        SetHandle(made);
    }

    public override bool IsInvalid => handle == 0;

    internal nint Pointer => handle;

    public static OrtEnv Instance() => TheInstance.Value;

    public string GetVersionString() => NativeApi.RuntimeVersion();

    public string[] GetAvailableProviders()
    {
        nint* names;
        int count;
        Status.Check(NativeApi.GetAvailableProviders(&names, &count));
        string[] providers = [.. new ReadOnlySpan<nint>(names, count).ToArray().Select(name => Marshal.PtrToStringUTF8(name))];
        Status.Check(NativeApi.ReleaseAvailableProviders(names, count));
        return providers;
    }

    // Sessions may outlive every reference to the environment, so it lives as long as the process.
    protected override bool ReleaseHandle() => true;
}
