using static TorchSharp.torch;

namespace Microsoft.ML.Distillation.Losses;

/// <summary>
/// Losses are computed in single precision whatever the networks' is: in half precision squares and their sums leave the range of the
/// numbers, and small floors become 0.
/// </summary>
internal static class SinglePrecision
{
    /// <summary>Values of half precision (either kind) in single precision, others as they are; with a gradient that leads back.</summary>
    public static Tensor Of(Tensor values) => IsHalf(values) ? values.to_type(ScalarType.Float32) : values;

    /// <summary>Whether values are of half precision.</summary>
    public static bool IsHalf(Tensor values) => values.dtype is ScalarType.Float16 or ScalarType.BFloat16;
}
