using static TorchSharp.torch;

namespace Microsoft.ML.Distillation.Tensors;

/// <summary>
/// Mixed precision: images in bfloat16 make a network's convolutions, matrix products and normalisations compute in it, since its layers
/// bring their weights to the type of what they are given. Weights, statistics, answers, pooling of regions and losses stay in single
/// precision.
/// </summary>
internal static class BFloat16
{
    /// <summary>The tensor in the type of another, the same one where it has it already. Gradients flow back in its own type.</summary>
    public static Tensor As(this Tensor tensor, Tensor other) => tensor.As(other.dtype);

    /// <summary>The tensor in a type, the same one where it has it already.</summary>
    public static Tensor As(this Tensor tensor, ScalarType type) => tensor.dtype == type ? tensor : tensor.to_type(type);

    /// <summary>
    /// A tensor of half precision, of either kind, in single precision; others as they are. In half precision a loss's squares and sums
    /// leave the range of the numbers, and small floors become 0.
    /// </summary>
    public static Tensor Single(this Tensor tensor)
        => tensor.dtype is ScalarType.Float16 or ScalarType.BFloat16 ? tensor.to_type(ScalarType.Float32) : tensor;
}
