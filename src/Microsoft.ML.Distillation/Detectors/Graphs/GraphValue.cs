using Microsoft.ML.Distillation.Tensors;
using TorchSharp;
using static TorchSharp.torch;

namespace Microsoft.ML.Distillation.Detectors.Graphs;

/// <summary>
/// A value of a graph while it runs. What is computed of shapes and constants alone stays on the host, whatever device the network is
/// on, so that sizes and indices are read without waiting for the device.
/// </summary>
internal sealed class GraphValue
{
    private readonly Constant? _constant;

    private GraphValue(Tensor tensor, bool isHost, Constant? constant = null) => (Tensor, IsHost, _constant) = (tensor, isHost, constant);

    /// <summary>The tensor, of a host value on the CPU.</summary>
    public Tensor Tensor { get; }

    /// <summary>Whether it depends on no pixel and no parameter.</summary>
    public bool IsHost { get; }

    /// <summary>Computed of pixels or parameters.</summary>
    public static GraphValue Of(Tensor tensor) => new(tensor, isHost: false);

    /// <summary>Computed of shapes and constants.</summary>
    public static GraphValue Host(Tensor tensor) => new(tensor, isHost: true);

    /// <summary>A constant of the graph.</summary>
    public static GraphValue Of(Constant constant) => new(constant.On(CPU), isHost: true, constant);

    /// <summary>The tensor on a device, floats in a type.</summary>
    public Tensor On(Device device, ScalarType type)
    {
        Tensor found = !IsHost || device.type == DeviceType.CPU ? Tensor : _constant is not null ? _constant.On(device) : Tensor.to(device);
        return found.is_floating_point() ? found.As(type) : found;
    }
}
