namespace Microsoft.ML.Distillation.Data.Formats;

/// <summary>A box as COCO's files have it, in pixels; the sides are not negative.</summary>
internal readonly record struct CocoBox(double X, double Y, double Width, double Height)
{
    /// <summary>The right edge.</summary>
    public double X1 => X + Width;

    /// <summary>The lower edge.</summary>
    public double Y1 => Y + Height;
}
