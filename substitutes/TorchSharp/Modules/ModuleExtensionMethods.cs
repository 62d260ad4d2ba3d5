using static TorchSharp.torch;

namespace TorchSharp;

/// <summary>A module to another device or data type; the module itself is given back.</summary>
public static class ModuleExtensionMethods
{
    public static T to<T>(this T module, ScalarType type, bool non_blocking = false) where T : nn.Module => Converted(module, type, null, non_blocking);

    public static T to<T>(this T module, Device device, bool non_blocking = false) where T : nn.Module => Converted(module, null, device, non_blocking);

    public static T to<T>(this T module, Device device, ScalarType type, bool non_blocking = false) where T : nn.Module => Converted(module, type, device, non_blocking);

    public static T to<T>(this T module, DeviceType deviceType, int deviceIndex = -1, bool non_blocking = false) where T : nn.Module
        => Converted(module, null, new Device(deviceType, deviceIndex), non_blocking);

    public static T to<T>(this T module, string device, bool non_blocking = false) where T : nn.Module => Converted(module, null, new Device(device), non_blocking);

    public static T to<T>(this T module, Tensor other, bool non_blocking = false) where T : nn.Module => Converted(module, other.dtype, other.device, non_blocking);

    public static T cpu<T>(this T module, bool non_blocking = false) where T : nn.Module => Converted(module, null, CPU, non_blocking);

    private static T Converted<T>(T module, ScalarType? type, Device? device, bool nonBlocking) where T : nn.Module
    {
        module.Convert(type, device, nonBlocking);
        return module;
    }
}
