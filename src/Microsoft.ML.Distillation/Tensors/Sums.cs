using TorchSharp;
using static TorchSharp.torch;

namespace Microsoft.ML.Distillation.Tensors;

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
