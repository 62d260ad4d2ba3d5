namespace Microsoft.ML.Distillation.Data;

/// <summary>What a detector found in one image, best first.</summary>
/// <param name="Boxes">4N values, x0 y0 x1 y1 of each detection, as shares of the image (0 to 1).</param>
/// <param name="Scores">N scores, 0 to 1.</param>
/// <param name="Labels">N class indices, 0-based, into the detector's class names.</param>
internal sealed record Detections(float[] Boxes, float[] Scores, int[] Labels)
{
    /// <summary>The number of detections.</summary>
    public int Count => Labels.Length;
}
