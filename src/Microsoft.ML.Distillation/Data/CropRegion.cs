namespace Microsoft.ML.Distillation.Data;

/// <summary>
/// A rectangle of an image in pixels; (0, 0) is the upper left corner of the first pixel. It may be larger than the image.
/// </summary>
internal readonly record struct CropRegion(float X, float Y, float Width, float Height)
{
    /// <summary>The whole of an image.</summary>
    public static CropRegion Whole(ImageSize size) => new(0, 0, size.Width, size.Height);
}
