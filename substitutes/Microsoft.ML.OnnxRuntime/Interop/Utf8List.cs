// Texts in native memory for the time of one call.

using System.Runtime.InteropServices;

namespace Microsoft.ML.OnnxRuntime.Interop;

internal sealed class Utf8List : IDisposable
{
    public Utf8List(IEnumerable<string> texts) => Pointers = [.. texts.Select(Marshal.StringToCoTaskMemUTF8)];

    public nint[] Pointers { get; }

    public void Dispose()
    {
        foreach (nint pointer in Pointers) Marshal.FreeCoTaskMem(pointer);
    }
}
