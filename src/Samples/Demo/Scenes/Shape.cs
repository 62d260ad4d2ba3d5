namespace Microsoft.ML.Distillation.Samples.Demo.Scenes;

/// <summary>The outline of a figure around the origin, with a radius of about 1.</summary>
/// <param name="Name">What it is called.</param>
/// <param name="Distance">How far a point is from the outline; negative inside.</param>
internal sealed record Shape(string Name, Func<double, double, double> Distance)
{
    /// <summary>The figures that are to be found: the classes.</summary>
    public static readonly Shape[] Classes =
    [
        new("circle", Disc(1)),
        new("ring", (x, y) => Math.Abs(Disc(.76)(x, y)) - .22),
        new("square", Polygon(Regular(4, 1.1))),
        new("triangle", Polygon(Regular(3, 1.15))),
        new("star", Polygon(Star(5, 1.2, .5))),
        new("cross", Polygon(Cross(.36))),
    ];

    /// <summary>Figures that look like those to be found, but are none of them.</summary>
    public static readonly Shape[] Clutter =
    [
        new("crescent", (x, y) => Math.Max(Disc(1)(x, y), -Disc(.9)(x - .5, y))),
        new("half disc", (x, y) => Math.Max(Disc(1)(x, y), y)),
        new("hexagon", Polygon(Regular(6, 1))),
        new("bar", Polygon([(-1.2, -.18), (1.2, -.18), (1.2, .18), (-1.2, .18)])),
        new("corner", Polygon([(-1, -1), (1, -1), (1, -.5), (-.5, -.5), (-.5, 1), (-1, 1)])),
        new("spark", Polygon(Star(4, 1.1, .3))),
    ];

    private static Func<double, double, double> Disc(double radius) => (x, y) => Math.Sqrt(x * x + y * y) - radius;

    private static (double X, double Y)[] Regular(int corners, double radius)
        => [.. Enumerable.Range(0, corners).Select(i => OnCircle((double)i / corners, radius))];

    private static (double X, double Y)[] Star(int points, double outer, double inner)
        => [.. Enumerable.Range(0, 2 * points).Select(i => OnCircle(i / (2.0 * points), i % 2 == 0 ? outer : inner))];

    private static (double X, double Y)[] Cross(double half)
        => [(-half, -1), (half, -1), (half, -half), (1, -half), (1, half), (half, half),
            (half, 1), (-half, 1), (-half, half), (-1, half), (-1, -half), (-half, -half)];

    private static (double X, double Y) OnCircle(double turn, double radius)
        => (radius * Math.Sin(2 * Math.PI * turn), -radius * Math.Cos(2 * Math.PI * turn));

    /// <summary>The distance to a polygon: that to its nearest edge, negative where a ray to the right crosses edges an odd number of
    /// times.</summary>
    private static Func<double, double, double> Polygon((double X, double Y)[] corners) => (x, y) =>
    {
        double nearest = double.MaxValue;
        bool inside = false;
        for (int i = 0, before = corners.Length - 1; i < corners.Length; before = i++)
        {
            (double ax, double ay) = corners[before];
            (double bx, double by) = corners[i];
            (double ex, double ey, double px, double py) = (bx - ax, by - ay, x - ax, y - ay);
            double along = Math.Clamp((px * ex + py * ey) / (ex * ex + ey * ey), 0, 1);
            (double dx, double dy) = (px - along * ex, py - along * ey);
            nearest = Math.Min(nearest, dx * dx + dy * dy);
            if (ay > y != by > y && x < ax + (y - ay) / (by - ay) * (bx - ax)) inside = !inside;
        }

        return inside ? -Math.Sqrt(nearest) : Math.Sqrt(nearest);
    };
}
