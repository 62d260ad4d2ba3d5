using System.Runtime.InteropServices;
using TorchSharp;
using static TorchSharp.torch;

namespace Microsoft.ML.Distillation.Training;

/// <summary>
/// Tells glibc's allocator to keep memory that training frees. By default it gives every large block back to the system and asks
/// for it anew in the next operation, and the page faults of that can take longer than the arithmetic. Elsewhere this does nothing.
/// </summary>
internal static class NativeHeap
{
    private const int TrimThreshold = -1;
    private const int TopPad = -2;
    private const int MmapThreshold = -3;

    private static readonly Lazy<bool> Done = new(Configure);

    /// <summary>Keeps freed memory, from the first call on and for the whole process.</summary>
    /// <returns>Whether the allocator took the setting.</returns>
    public static bool KeepFreedMemory() => Done.Value;

    private static bool Configure()
    {
        if (!OperatingSystem.IsLinux()) return false;
        try
        {
            return mallopt(MmapThreshold, 1 << 30) != 0
                & mallopt(TrimThreshold, int.MaxValue) != 0
                & mallopt(TopPad, 64 << 20) != 0;
        }
        catch (Exception exception) when (exception is DllNotFoundException or EntryPointNotFoundException)
        {
            return false;
        }
    }

    [DllImport("libc.so.6", ExactSpelling = true)]
    [DefaultDllImportSearchPaths(DllImportSearchPath.SafeDirectories)]
    private static extern int mallopt(int parameter, int value);
}

/// <summary>libtorch, which the application brings.</summary>
internal static class TorchLibrary
{
    /// <summary>Throws where libtorch cannot be loaded: TorchSharp's own error does not say what to add.</summary>
    /// <exception cref="DllNotFoundException">libtorch is missing or does not load; the message says what to do.</exception>
    public static void Require()
    {
        try
        {
            using Tensor probe = zeros(1);
        }
        catch (TypeInitializationException error)
        {
            // What the loader of an older C++ runtime found out is the reason, where it was asked.
            Exception cause = error;
            while (cause is not DllNotFoundException && cause.InnerException is { } inner) cause = inner;
            throw new DllNotFoundException(cause is DllNotFoundException
                ? cause.Message
                : "Training needs libtorch, which does not load: the application must reference TorchSharp-cpu, TorchSharp-cuda-windows or "
                    + $"TorchSharp-cuda-linux, in the version of TorchSharp ({typeof(torch).Assembly.GetName().Version?.ToString(3)}).");
        }
    }
}

/// <summary>Chooses where to train.</summary>
internal static class TrainingDevice
{
    /// <summary>The CUDA device asked for, or the CPU.</summary>
    /// <param name="gpuDeviceId">The CUDA device; <see langword="null"/> for the CPU.</param>
    /// <param name="fallbackToCpu">Whether the CPU will do where the CUDA device is not there.</param>
    /// <exception cref="InvalidOperationException">The device is not there and the CPU will not do.</exception>
    public static Device Choose(int? gpuDeviceId, bool fallbackToCpu)
    {
        if (gpuDeviceId is not int id) return CPU;
        int devices = cuda.is_available() ? cuda.device_count() : 0;
        if (id < devices) return new Device(DeviceType.CUDA, id);
        if (fallbackToCpu) return CPU;
        string found = devices == 0 ? "no CUDA device" : $"{devices} CUDA device(s)";
        throw new InvalidOperationException(
            $"Training was asked to run on GPU {id}, but TorchSharp finds {found}. The application must reference TorchSharp-cuda-windows "
            + "or TorchSharp-cuda-linux and have an NVIDIA driver; or set FallbackToCpu, or leave GpuDeviceId unset.");
    }
}
