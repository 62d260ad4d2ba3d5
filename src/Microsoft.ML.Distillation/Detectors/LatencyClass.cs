namespace Microsoft.ML.Distillation;

/// <summary>How long a detector may take for an image, from its pixels to its boxes, for <see cref="DetectorPlan.For"/>.</summary>
/// <remarks>The times are of ONNX Runtime on one core of a server's processor (AMD EPYC, AVX-512).</remarks>
public enum LatencyClass
{
    /// <summary>About 4 milliseconds.</summary>
    Fast,

    /// <summary>About 7 milliseconds: the default student.</summary>
    Balanced,

    /// <summary>About 20 milliseconds.</summary>
    Accurate,
}
