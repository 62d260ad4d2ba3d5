using static TorchSharp.torch;

namespace Microsoft.ML.Distillation.Tensors;

/// <summary>
/// The order in memory that convolutions run in: the channels of a pixel side by side (NHWC), while the shape stays [N,C,h,w].
/// A network that is given such an image keeps the order through its convolutions, normalisations and activations.
/// </summary>
/// <remarks>
/// On a CPU with AVX2 or AVX-512, libtorch 2.10's dense convolutions (oneDNN 3.7) in the usual order read memory beyond a pixel's
/// channels where their number is no multiple of 16, and give wrong values, wrong gradients and NaN, by what lies there. In this order
/// they are right. 1×1 convolutions go their own way: <see cref="Pointwise"/>.
/// </remarks>
internal static class ChannelsLast
{
    /// <summary>The same values [N,C,h,w], in this order.</summary>
    public static Tensor Of(Tensor map)
    {
        using var scope = NewDisposeScope();
        return map.permute(0, 2, 3, 1).contiguous().permute(0, 3, 1, 2).MoveToOuterDisposeScope();
    }
}
