// A status of the C API: none is success, any other becomes an exception with the native message.

using System.Runtime.InteropServices;

namespace Microsoft.ML.OnnxRuntime.Interop;

internal static class Status
{
    public static void Check(nint status)
    {
        if (status == 0) return;
        var code = (ErrorCode)NativeApi.GetErrorCode(status);
        string message = Marshal.PtrToStringUTF8(NativeApi.GetErrorMessage(status));
        NativeApi.ReleaseStatus(status);
        throw new OnnxRuntimeException(code, message);
    }
}
