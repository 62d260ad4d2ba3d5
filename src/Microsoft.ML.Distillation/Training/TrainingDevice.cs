using TorchSharp;
using static TorchSharp.torch;

namespace Microsoft.ML.Distillation.Training;

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
