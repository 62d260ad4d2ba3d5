namespace Microsoft.ML.Distillation.Detectors;

/// <summary>What the P locations of one image are to learn.</summary>
/// <param name="Objects">Of each location the index of its object, or <see cref="Background"/>.</param>
/// <param name="Qualities">Of each location the score that it is to give its object's class; 0 for background.</param>
/// <param name="Weights">How much its box counts; 0 for background.</param>
internal sealed record AssignedPoints(int[] Objects, float[] Qualities, float[] Weights)
{
    /// <summary>The location has no object.</summary>
    public const int Background = -1;
}

/// <summary>Decides which locations learn which objects.</summary>
internal interface IPointAssigner
{
    /// <param name="scores">P·C class probabilities.</param>
    /// <param name="boxes">4P values: the boxes that the locations predict now, in pixels.</param>
    /// <param name="objects">4G values, in pixels.</param>
    /// <param name="labels">G class indices.</param>
    AssignedPoints Assign(ReadOnlySpan<float> scores, ReadOnlySpan<float> boxes, float[] objects, int[] labels);
}
