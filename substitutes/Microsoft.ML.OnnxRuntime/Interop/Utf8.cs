// Text across the border: zero-terminated UTF-8.

using System.Runtime.InteropServices;
using System.Text;

namespace Microsoft.ML.OnnxRuntime.Interop;

internal static class Utf8
{
    public static byte[] Bytes(string text) => Encoding.UTF8.GetBytes(text + '\0');

    /// <summary>Takes over a text that ONNX Runtime's default allocator made.</summary>
    public static string Take(nint text)
    {
        if (text == 0) return "";
        try
        {
            return Marshal.PtrToStringUTF8(text);
        }
        finally
        {
            Status.Check(NativeApi.AllocatorFree(Memory.Allocator, text));
        }
    }
}
