using TorchSharp;
using static TorchSharp.torch;

namespace Microsoft.ML.Distillation.Tensors;

/// <summary>
/// A 1×1 convolution as the matrix product that it is. With channels last, libtorch 2.10's own backward pass of a 1×1 convolution of
/// stride 2 writes beyond its memory on a CPU (oneDNN 3.7: "corrupted size vs. prev_size").
/// </summary>
internal static class Pointwise
{
    /// <summary>Applies a 1×1 convolution without padding and groups.</summary>
    /// <param name="map">[N,from,h,w].</param>
    /// <param name="weight">[to,from,1,1].</param>
    /// <param name="bias">[to], or none.</param>
    /// <param name="stride">Every how many pixels of a row and of a column are taken.</param>
    /// <returns>[N,to,⌈h/stride⌉,⌈w/stride⌉], channels last in memory.</returns>
    public static Tensor Run(Tensor map, Tensor weight, Tensor? bias, int stride = 1)
    {
        using var scope = NewDisposeScope();
        Tensor pixels = map.permute(0, 2, 3, 1);
        if (stride > 1) pixels = pixels.slice(1, 0, pixels.shape[1], stride).slice(2, 0, pixels.shape[2], stride);
        return nn.functional.linear(pixels, weight.flatten(1), bias).permute(0, 3, 1, 2).MoveToOuterDisposeScope();
    }
}

/// <summary>
/// Sums of tensors that are safe under garbage collection. TorchSharp's own <c>+</c> makes a temporary <see cref="Scalar"/> for the
/// factor 1 of what is added, and nothing keeps that object alive until libtorch has read it.
/// </summary>
internal static class Sums
{
    private static readonly Scalar One = 1;

    /// <summary>The sum.</summary>
    public static Tensor Plus(this Tensor left, Tensor right) => left.add(right, One);

    /// <summary>Adds in place.</summary>
    public static Tensor PlusInPlace(this Tensor left, Tensor right) => left.add_(right, One);

    /// <summary>1 − x.</summary>
    public static Tensor Complement(this Tensor tensor)
    {
        using Tensor negative = tensor.neg();
        return negative.add(One, One);
    }
}

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
