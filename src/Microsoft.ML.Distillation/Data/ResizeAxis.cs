namespace Microsoft.ML.Distillation.Data;

/// <summary>
/// Which source pixels make up each target pixel along one axis, and with what weights: the triangle filter, as wide as
/// the shrinking factor (half-pixel centres; weights beyond the image are left out and the others scaled up to sum to 1).
/// </summary>
internal sealed class ResizeAxis
{
    private readonly int[] _first;
    private readonly int[] _count;
    private readonly float[] _weights;
    private readonly int _stride;

    /// <param name="sourceLength">The image's length in pixels.</param>
    /// <param name="start">Where the region begins, in source pixels; may lie outside the image.</param>
    /// <param name="length">The region's length in source pixels.</param>
    /// <param name="targetLength">The number of target pixels that the region becomes.</param>
    /// <param name="mirror">Whether the target runs backwards.</param>
    public ResizeAxis(int sourceLength, float start, float length, int targetLength, bool mirror = false)
    {
        float enlargement = targetLength / length;
        float radius = Math.Max(1 / enlargement, 1);
        _stride = 2 * (int)Math.Ceiling(radius) + 1;
        _first = new int[targetLength];
        _count = new int[targetLength];
        _weights = new float[targetLength * _stride];
        Begin = sourceLength;
        for (int i = 0; i < targetLength; i++)
        {
            // ONNX Runtime's rounding: its formula in its precision.
            float centre = start + ((i + 0.5f) / enlargement - 0.5f + 0.5f);
            if (centre < 0 || centre >= sourceLength) continue;
            int target = mirror ? targetLength - 1 - i : i;
            Fill(target, centre, radius, sourceLength);
            Begin = Math.Min(Begin, _first[target]);
            End = Math.Max(End, _first[target] + _count[target]);
        }

        Begin = Math.Min(Begin, End);
    }

    /// <summary>The first source pixel that any target pixel needs.</summary>
    public int Begin { get; }

    /// <summary>One beyond the last source pixel that any target pixel needs.</summary>
    public int End { get; }

    /// <summary>The source pixels of a target pixel and their weights, which sum to 1. Empty where it lies outside the image.</summary>
    public ReadOnlySpan<float> Weights(int target, out int first)
    {
        first = _first[target];
        return _weights.AsSpan(target * _stride, _count[target]);
    }

    private void Fill(int target, float centre, float radius, int sourceLength)
    {
        int first = Math.Max(0, (int)Math.Floor(centre - radius + 0.5f));
        int end = Math.Max(first + 1, Math.Min(sourceLength, (int)Math.Floor(centre + radius + 0.5f)));
        float total = 0;
        for (int x = first; x < end; x++) total += Triangle((x - centre + 0.5f) / radius);
        Span<float> weights = _weights.AsSpan(target * _stride, end - first);
        for (int x = first; x < end; x++) weights[x - first] = Triangle((x - centre + 0.5f) / radius) / total;
        _first[target] = first;
        _count[target] = weights.Length;
    }

    private static float Triangle(float distance) => Math.Max(0, 1 - Math.Abs(distance));
}
