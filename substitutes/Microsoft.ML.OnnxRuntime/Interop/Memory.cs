// ONNX Runtime's default allocator and the description of ordinary memory: one of each for the process.

namespace Microsoft.ML.OnnxRuntime.Interop;

internal static unsafe class Memory
{
    public static readonly nint Allocator = DefaultAllocator();
    public static readonly nint Cpu = CpuInfo();

    private static nint DefaultAllocator()
    {
        nint allocator;
        Status.Check(NativeApi.GetAllocatorWithDefaultOptions(&allocator));
        return allocator;
    }

    private static nint CpuInfo()
    {
        const int arena = 1, defaultMemory = 0;
        nint info;
        Status.Check(NativeApi.CreateCpuMemoryInfo(arena, defaultMemory, &info));
        return info;
    }
}
