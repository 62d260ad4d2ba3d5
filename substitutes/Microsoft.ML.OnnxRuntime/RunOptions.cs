// The options of one run.

using System.Runtime.InteropServices;
using Microsoft.ML.OnnxRuntime.Interop;

namespace Microsoft.ML.OnnxRuntime;

public unsafe class RunOptions : SafeHandle
{
    private bool _terminate;

    public RunOptions()
        : base(0, ownsHandle: true)
    {
        nint made;
        Status.Check(NativeApi.CreateRunOptions(&made));
        SetHandle(made);
    }

    public override bool IsInvalid => handle == 0;

    /// <summary>Whether runs that use these options shall stop as soon as they can.</summary>
    public bool Terminate
    {
        get => _terminate;
        set
        {
            Status.Check(value ? NativeApi.RunOptionsSetTerminate(handle) : NativeApi.RunOptionsUnsetTerminate(handle));
            _terminate = value;
        }
    }

    protected override bool ReleaseHandle()
    {
        NativeApi.ReleaseRunOptions(handle);
        return true;
    }
}
