using static TorchSharp.torch;

namespace Microsoft.ML.Distillation.Tensors;

/// <summary>
/// Numbers of a network that are neither learned nor saved, on every device where they are asked for. TorchSharp has no such thing: its
/// <c>Module.to</c> leaves buffers that are not persistent behind, and every field of type Tensor is a persistent one.
/// </summary>
internal sealed class Constant : nn.Module
{
    private readonly List<Tensor> _copies;

    /// <param name="value">The numbers, which belong to this from now on.</param>
    public Constant(Tensor value)
        : base(nameof(Constant)) => _copies = [value.DetachFromDisposeScope()];

    /// <summary>The numbers on a device; not the caller's to dispose of.</summary>
    public Tensor On(Device device)
    {
        foreach (Tensor copy in _copies)
        {
            Device own = copy.device;
            if (own.type == device.type && (device.index < 0 || own.index == device.index)) return copy;
        }

        _copies.Add(_copies[0].to(device).DetachFromDisposeScope());
        return _copies[^1];
    }

    protected override void Dispose(bool disposing)
    {
        if (disposing) foreach (Tensor copy in _copies) copy.Dispose();
        base.Dispose(disposing);
    }
}
