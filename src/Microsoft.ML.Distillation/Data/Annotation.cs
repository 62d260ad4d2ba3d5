namespace Microsoft.ML.Distillation.Data;

/// <summary>The objects of one image.</summary>
/// <param name="Boxes">4N values, x0 y0 x1 y1 of each object, as shares of the image (0 to 1).</param>
/// <param name="Labels">N class indices, 0-based, into the data set's class names.</param>
internal sealed record Annotation(float[] Boxes, int[] Labels)
{
    /// <summary>An image without objects: background.</summary>
    public static readonly Annotation Empty = new([], []);

    /// <summary>The number of objects.</summary>
    public int Count => Labels.Length;
}
