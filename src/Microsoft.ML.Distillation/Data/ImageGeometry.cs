namespace Microsoft.ML.Distillation.Data;

/// <summary>
/// Which part of an image is shown, as shares of the image, and whether it is mirrored. A part larger than the image shows
/// it smaller, with free sides.
/// </summary>
internal readonly record struct ImageGeometry(float X, float Y, float Width, float Height, bool Mirror)
{
    /// <summary>The image as it is.</summary>
    public static readonly ImageGeometry Identity = new(0, 0, 1, 1, false);

    /// <summary>The part that is shown, in pixels of an image.</summary>
    public CropRegion Region(ImageSize size) => new(X * size.Width, Y * size.Height, Width * size.Width, Height * size.Height);

    /// <summary>Whether the centre of a box (x0 y0 x1 y1, shares of the image) is shown.</summary>
    public bool Shows(ReadOnlySpan<float> box)
    {
        float x = (box[0] + box[2]) / 2;
        float y = (box[1] + box[3]) / 2;
        return x >= X && x < X + Width && y >= Y && y < Y + Height;
    }

    /// <summary>
    /// The objects in shares of what is shown: boxes are clipped, and an object whose centre is not shown is left out. Of one
    /// that stays at least a quarter is visible, half of its width and half of its height.
    /// </summary>
    public Annotation Apply(Annotation annotation)
    {
        if (this == Identity || annotation.Count == 0) return annotation;
        var boxes = new List<float>(annotation.Boxes.Length);
        var labels = new List<int>(annotation.Count);
        for (int i = 0; i < annotation.Count; i++)
        {
            ReadOnlySpan<float> box = annotation.Boxes.AsSpan(4 * i, 4);
            if (!Shows(box)) continue;
            float x0 = Math.Clamp((box[0] - X) / Width, 0, 1);
            float x1 = Math.Clamp((box[2] - X) / Width, 0, 1);
            boxes.Add(Mirror ? 1 - x1 : x0);
            boxes.Add(Math.Clamp((box[1] - Y) / Height, 0, 1));
            boxes.Add(Mirror ? 1 - x0 : x1);
            boxes.Add(Math.Clamp((box[3] - Y) / Height, 0, 1));
            labels.Add(annotation.Labels[i]);
        }

        return new Annotation([.. boxes], [.. labels]);
    }
}
