// Where the native library is: the path in ONNXRUNTIME, else libonnxruntime.so beside the application, else the system's search path.

using System.Runtime.InteropServices;

namespace Microsoft.ML.OnnxRuntime.Interop;

internal static class NativeLibraryFinder
{
    private const string FileName = "libonnxruntime.so";

    public static nint Load()
    {
        string named = Environment.GetEnvironmentVariable("ONNXRUNTIME");
        if (!string.IsNullOrEmpty(named)) return NativeLibrary.Load(Directory.Exists(named) ? Path.Combine(named, FileName) : named);

        string beside = Path.Combine(AppContext.BaseDirectory, FileName);
        if (File.Exists(beside)) return NativeLibrary.Load(beside);
        return NativeLibrary.TryLoad(FileName, out nint library)
            ? library
            : throw new DllNotFoundException($"There is no ONNX Runtime at '{beside}'. Run build.sh, or set ONNXRUNTIME to the path of {FileName}.");
    }
}
