namespace Microsoft.ML.Distillation.Data;

/// <summary>An image of a Pascal VOC data set.</summary>
/// <param name="ImagePath">The full path of the image.</param>
/// <param name="Width">Its width as the annotation gives it; 0 where it does not.</param>
/// <param name="Height">Its height as the annotation gives it; 0 where it does not.</param>
/// <param name="Labels">The classes of the N objects.</param>
/// <param name="Boxes">4N values, x0 y0 x1 y1 in pixels, as they are written.</param>
/// <param name="Difficult">For each object whether it is marked as difficult.</param>
internal sealed record VocImage(string ImagePath, int Width, int Height, string[] Labels, float[] Boxes, bool[] Difficult);
