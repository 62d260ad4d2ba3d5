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
