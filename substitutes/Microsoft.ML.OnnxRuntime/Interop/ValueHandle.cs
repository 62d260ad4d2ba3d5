// Owns a native value and, where it lies over managed memory, the pin on that memory.

using System.Buffers;
using System.Runtime.InteropServices;

namespace Microsoft.ML.OnnxRuntime.Interop;

internal sealed class ValueHandle : SafeHandle
{
    private MemoryHandle _pin;

    public ValueHandle(nint value, MemoryHandle pin = default)
        : base(0, ownsHandle: true)
    {
        SetHandle(value);
        _pin = pin;
    }

    public override bool IsInvalid => handle == 0;

    protected override bool ReleaseHandle()
    {
        NativeApi.ReleaseValue(handle);
        _pin.Dispose();
        return true;
    }
}
