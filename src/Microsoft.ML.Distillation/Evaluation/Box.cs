namespace Microsoft.ML.Distillation.Evaluation;

/// <summary>A rectangle in pixels of an image: left, top, right, bottom.</summary>
internal readonly record struct Box(double X0, double Y0, double X1, double Y1)
{
    /// <summary>The width in pixels.</summary>
    public double Width => X1 - X0;

    /// <summary>The height in pixels.</summary>
    public double Height => Y1 - Y0;

    /// <summary>The area in square pixels.</summary>
    public double Area => Width * Height;

    /// <summary>The area that two boxes share; 0 where they do not meet or a coordinate is no number.</summary>
    /// <param name="edge">What a width gains over x1 - x0: 1 under PASCAL VOC's rule of inclusive pixels, else 0.</param>
    public double Overlap(in Box other, double edge = 0)
    {
        double width = Math.Min(X1, other.X1) - Math.Max(X0, other.X0) + edge;
        double height = Math.Min(Y1, other.Y1) - Math.Max(Y0, other.Y0) + edge;
        return width > 0 && height > 0 ? width * height : 0;
    }

    /// <summary>Intersection over union.</summary>
    /// <inheritdoc cref="Overlap"/>
    public double Iou(in Box other, double edge = 0)
    {
        double overlap = Overlap(other, edge);
        return overlap > 0 ? overlap / (AreaWith(edge) + other.AreaWith(edge) - overlap) : 0;
    }

    /// <summary>The share of this box that lies in another, 0 to 1.</summary>
    /// <inheritdoc cref="Overlap"/>
    public double ShareIn(in Box other, double edge = 0)
    {
        double overlap = Overlap(other, edge);
        return overlap > 0 ? overlap / AreaWith(edge) : 0;
    }

    private double AreaWith(double edge) => (Width + edge) * (Height + edge);
}
