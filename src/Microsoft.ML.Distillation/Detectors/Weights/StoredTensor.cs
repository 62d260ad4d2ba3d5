using static TorchSharp.torch;

namespace Microsoft.ML.Distillation.Detectors.Weights;

/// <summary>What a file says about one of its tensors.</summary>
internal sealed record StoredTensor(ScalarType Type, long[] Shape)
{
    /// <summary>The number of values.</summary>
    public long Count => Shape.Aggregate(1L, (product, size) => checked(product * size));

    /// <summary>The bytes of one value.</summary>
    public static int SizeOf(ScalarType type) => type switch
    {
        ScalarType.Byte or ScalarType.Int8 or ScalarType.Bool => 1,
        ScalarType.Int16 or ScalarType.Float16 or ScalarType.BFloat16 => 2,
        ScalarType.Int32 or ScalarType.Float32 => 4,
        ScalarType.Int64 or ScalarType.Float64 => 8,
        _ => throw new FormatException($"Tensors of {type} are not supported."),
    };

    /// <summary>The shape as text, <c>[24,3,3,3]</c>.</summary>
    public static string Text(IEnumerable<long> shape) => $"[{string.Join(',', shape)}]";
}
