using System.Numerics.Tensors;

namespace Microsoft.ML.Distillation.Teachers.OnnxDetectors.Decoders;

/// <summary>Turns class outputs into probabilities.</summary>
internal static class ClassScores
{
    /// <summary>Whether all values lie between 0 and 1.</summary>
    public static bool AreProbabilities(ReadOnlySpan<float> values)
        => values.IsEmpty || (TensorPrimitives.Min(values) >= 0 && TensorPrimitives.Max(values) <= 1);

    /// <summary>Applies an activation in place.</summary>
    public static void Activate(Span<float> values, ScoreActivation activation)
    {
        if (activation == ScoreActivation.Sigmoid) TensorPrimitives.Sigmoid(values, values);
        if (activation == ScoreActivation.Softmax) TensorPrimitives.SoftMax(values, values);
    }
}
