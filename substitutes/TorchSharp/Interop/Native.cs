using System.Runtime.InteropServices;

namespace TorchSharp;

/// <summary>The functions of native/torchshim.cpp, which says what they do. The library lies beside the application.</summary>
internal static unsafe partial class Native
{
    private const string Library = "torchshim";

    [LibraryImport(Library)] private static partial nint shim_error();

    [LibraryImport(Library)] internal static partial nint shim_version();

    [LibraryImport(Library, StringMarshalling = StringMarshalling.Utf8)] internal static partial nint shim_find(string name, string overload);

    [LibraryImport(Library)] internal static partial int shim_call(nint op, NativeValue* arguments, int count, NativeValue* results, int resultCount);

    [LibraryImport(Library)] internal static partial void shim_list_free(nint list);

    [LibraryImport(Library)] internal static partial void shim_tensor_free(nint tensor);

    [LibraryImport(Library)] internal static partial nint shim_tensor_alias(nint tensor);

    [LibraryImport(Library)] internal static partial int shim_tensor_properties(nint tensor, TensorProperties* properties);

    [LibraryImport(Library)] internal static partial int shim_tensor_shape(nint tensor, long* sizes, long* strides);

    [LibraryImport(Library)] internal static partial int shim_tensor_data(nint tensor, nint* data);

    [LibraryImport(Library)] internal static partial int shim_tensor_set_requires_grad(nint tensor, int value);

    [LibraryImport(Library)] internal static partial int shim_tensor_grad(nint tensor, nint* grad);

    [LibraryImport(Library)] internal static partial int shim_tensor_set_grad(nint tensor, nint grad);

    [LibraryImport(Library)]
    internal static partial int shim_backward(nint[] tensors, int count, nint[] grads, int gradCount, int retainGraph, int createGraph, nint[] inputs, int inputCount);

    [LibraryImport(Library)]
    internal static partial int shim_grad(nint[] outputs, int outputCount, nint[] inputs, int inputCount, nint[] grads, int gradCount,
        int retainGraph, int createGraph, int allowUnused, nint* results);

    [LibraryImport(Library)] internal static partial int shim_grad_enabled();

    [LibraryImport(Library)] internal static partial void shim_set_grad_enabled(int value);

    [LibraryImport(Library)] internal static partial nint shim_generator(long device, ulong seed, int own);

    [LibraryImport(Library)] internal static partial void shim_generator_free(nint generator);

    [LibraryImport(Library)] internal static partial int shim_generator_seed(nint generator, int set, ulong* seed);

    [LibraryImport(Library)] internal static partial int shim_generator_state(nint generator, nint set, nint* got);

    [LibraryImport(Library)] internal static partial int shim_manual_seed(ulong seed);

    [LibraryImport(Library)] internal static partial int shim_device_count(int type);

    [LibraryImport(Library)] internal static partial int shim_num_threads();

    [LibraryImport(Library)] internal static partial int shim_set_num_threads(int count);

    /// <summary>Throws libtorch's error where a function answered 0.</summary>
    /// <exception cref="ExternalException">With libtorch's message.</exception>
    internal static nint Check(nint answer)
        => answer != 0 ? answer : throw new ExternalException(Marshal.PtrToStringUTF8(shim_error()));
}

/// <summary>What crosses the border as an argument or a result: see Value in native/torchshim.cpp.</summary>
[StructLayout(LayoutKind.Sequential)]
internal struct NativeValue
{
    public ValueKind Kind;
    public int Count;
    public long Bits;
}

/// <summary>See Properties in native/torchshim.cpp.</summary>
[StructLayout(LayoutKind.Sequential)]
internal struct TensorProperties
{
    public long Device;
    public long Elements;
    public int Type;
    public int Dimensions;
    public int ElementSize;
    public int RequiresGrad;
    public int IsLeaf;
    public int IsContiguous;
    public int IsSparse;
}

/// <summary>See Kind in native/torchshim.cpp.</summary>
internal enum ValueKind
{
    None, Tensor, Integer, Real, Boolean, Integers, Reals, Tensors, OptionalTensors, Text, Device, Generator
}
