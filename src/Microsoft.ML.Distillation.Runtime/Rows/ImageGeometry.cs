using Microsoft.ML.Distillation.Images;

namespace Microsoft.ML.Distillation.Rows;

/// <summary>
/// Which part of an image is shown, as shares of the image, and how it is turned: first its columns become rows where it is transposed,
/// then it is mirrored and flipped. A part larger than the image shows it smaller, with free sides.
/// </summary>
/// <param name="Mirror">Whether left and right are exchanged.</param>
internal readonly record struct ImageGeometry(float X, float Y, float Width, float Height, bool Mirror)
{
    /// <summary>The image as it is.</summary>
    public static readonly ImageGeometry Identity = new(0, 0, 1, 1, false);

    /// <summary>Whether top and bottom are exchanged.</summary>
    public bool Flip { get; init; }

    /// <summary>Whether columns become rows. With <see cref="Mirror"/> or <see cref="Flip"/> this is a quarter turn.</summary>
    public bool Transpose { get; init; }

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
            (float x0, float x1) = (Math.Clamp((box[0] - X) / Width, 0, 1), Math.Clamp((box[2] - X) / Width, 0, 1));
            (float y0, float y1) = (Math.Clamp((box[1] - Y) / Height, 0, 1), Math.Clamp((box[3] - Y) / Height, 0, 1));
            if (Transpose) (x0, y0, x1, y1) = (y0, x0, y1, x1);
            boxes.Add(Mirror ? 1 - x1 : x0);
            boxes.Add(Flip ? 1 - y1 : y0);
            boxes.Add(Mirror ? 1 - x0 : x1);
            boxes.Add(Flip ? 1 - y0 : y1);
            labels.Add(annotation.Labels[i]);
        }

        return new Annotation([.. boxes], [.. labels]);
    }

    /// <summary>Where a point of the image along one of its axes comes to lie among what is shown, as a share.</summary>
    /// <param name="horizontal">Whether the axis is that of what is shown.</param>
    public float Through(float place, bool horizontal)
    {
        float shown = horizontal != Transpose ? (place - X) / Width : (place - Y) / Height;
        return (horizontal ? Mirror : Flip) ? 1 - shown : shown;
    }

    /// <summary>The side of a box in the image that becomes a side of what is shown: left 0, top 1, right 2, bottom 3.</summary>
    public int SideBefore(int side)
    {
        bool horizontal = side % 2 == 0;
        if (horizontal ? Mirror : Flip) side = (side + 2) % 4;
        return Transpose ? side ^ 1 : side;
    }

    /// <summary>Draws what is shown of an image, planar.</summary>
    /// <param name="planes">Receives [3,H,W] of <paramref name="size"/>, RGB, 0 to 1.</param>
    public void Draw(RgbImage image, ImageSize size, Span<float> planes)
    {
        CropRegion region = Region(new ImageSize(image.Width, image.Height));
        if (!Transpose)
        {
            AntialiasedResize.Resize(image, region, Mirror, size, planes, Flip);
            return;
        }

        var turned = new float[planes.Length];
        AntialiasedResize.Resize(image, region, mirror: Flip, new ImageSize(size.Height, size.Width), turned, flip: Mirror);
        for (int plane = 0, at = 0; plane < 3; plane++)
        {
            int start = plane * size.Width * size.Height;
            for (int y = 0; y < size.Height; y++)
            {
                for (int x = 0; x < size.Width; x++) planes[at++] = turned[start + x * size.Height + y];
            }
        }
    }
}
