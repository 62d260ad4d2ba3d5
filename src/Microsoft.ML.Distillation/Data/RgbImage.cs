namespace Microsoft.ML.Distillation.Data;

/// <summary>An 8-bit RGB image: rows from the top, three bytes a pixel (red first), no padding.</summary>
internal sealed record RgbImage(int Width, int Height, byte[] Pixels);
