// Owns a native session.

using System.Runtime.InteropServices;

namespace Microsoft.ML.OnnxRuntime.Interop;

internal sealed class SessionHandle : SafeHandle
{
    public SessionHandle(nint session)
        : base(0, ownsHandle: true) => SetHandle(session);

    public override bool IsInvalid => handle == 0;

    protected override bool ReleaseHandle()
    {
        NativeApi.ReleaseSession(handle);
        return true;
    }
}
