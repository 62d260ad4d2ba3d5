// Type, sizes and names of sizes, read from the C API's description of a tensor.

using System.Runtime.InteropServices;
using Microsoft.ML.OnnxRuntime.Tensors;

namespace Microsoft.ML.OnnxRuntime.Interop;

internal sealed unsafe record TensorInfo(TensorElementType Type, long[] Shape, string[] Symbols)
{
    /// <summary>Reads a description; it stays the caller's.</summary>
    public static TensorInfo Read(nint info)
    {
        int type;
        nuint rank;
        Status.Check(NativeApi.GetTensorElementType(info, &type));
        Status.Check(NativeApi.GetDimensionsCount(info, &rank));
        var shape = new long[rank];
        var names = new nint[rank];
        fixed (long* sizes = shape) Status.Check(NativeApi.GetDimensions(info, sizes, rank));
        fixed (nint* symbols = names) Status.Check(NativeApi.GetSymbolicDimensions(info, symbols, rank));
        return new TensorInfo((TensorElementType)type, shape, [.. names.Select(name => Marshal.PtrToStringUTF8(name) ?? "")]);
    }
}
