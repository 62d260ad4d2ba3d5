namespace Microsoft.ML.Distillation.Samples.Demo.Scenes;

/// <summary>A place, size and turn of a shape on a canvas, in pixels and radians.</summary>
internal readonly record struct Pose(double X, double Y, double Radius, double Turn, double Aspect);

/// <summary>A scene in the making: colours with fractions, and for every pixel the object that is seen there.</summary>
internal sealed class Canvas(int width, int height)
{
    private const int Nobody = -1;
    private readonly float[] _colors = new float[3 * width * height];
    private readonly int[] _owners = CreateOwners(width * height);

    public int Width { get; } = width;

    public int Height { get; } = height;

    /// <summary>Changes every pixel's colour.</summary>
    public void Paint(Func<int, int, int, double> valueOf)
    {
        for (int i = 0; i < _colors.Length; i++) _colors[i] = (float)valueOf(i / 3 % Width, i / 3 / Width, i % 3);
    }

    /// <summary>A channel of a pixel, 0 to 255.</summary>
    public double this[int x, int y, int channel] => _colors[3 * (y * Width + x) + channel];

    /// <summary>How much of each pixel a posed shape covers, for the pixels that it touches.</summary>
    public List<(int Pixel, float Share)> Cover(Shape shape, Pose pose)
    {
        var covered = new List<(int, float)>();
        double reach = 1.5 * pose.Radius * Math.Max(1, pose.Aspect);
        (double sin, double cos) = Math.SinCos(pose.Turn);
        for (int y = (int)Math.Max(0, pose.Y - reach); y < Math.Min(Height, pose.Y + reach); y++)
        {
            for (int x = (int)Math.Max(0, pose.X - reach); x < Math.Min(Width, pose.X + reach); x++)
            {
                (double dx, double dy) = (x + .5 - pose.X, y + .5 - pose.Y);
                (double u, double v) = ((cos * dx + sin * dy) / pose.Radius / pose.Aspect, (cos * dy - sin * dx) / pose.Radius);
                double share = Math.Clamp(.5 - pose.Radius * shape.Distance(u, v), 0, 1);
                if (share > 0) covered.Add((y * Width + x, (float)share));
            }
        }

        return covered;
    }

    /// <summary>How many pixels of each object the covered ones would hide.</summary>
    public Dictionary<int, int> Hidden(List<(int Pixel, float Share)> covered)
        => covered.Where(c => c.Share > .5f && _owners[c.Pixel] != Nobody).CountBy(c => _owners[c.Pixel]).ToDictionary();

    /// <summary>Draws over the covered pixels; they belong to the object from then on, or to nobody.</summary>
    public void Stamp(List<(int Pixel, float Share)> covered, int? owner, Func<int, int, int, double> valueOf)
    {
        foreach ((int pixel, float share) in covered)
        {
            for (int channel = 0; channel < 3; channel++)
            {
                ref float color = ref _colors[3 * pixel + channel];
                color += share * ((float)valueOf(pixel % Width, pixel / Width, channel) - color);
            }

            if (share > .5f) _owners[pixel] = owner ?? Nobody;
        }
    }

    /// <summary>The box around what is seen of an object, in pixels, with the number of pixels.</summary>
    public (int X0, int Y0, int X1, int Y1, int Seen) BoxOf(int owner)
    {
        (int x0, int y0, int x1, int y1, int seen) = (Width, Height, 0, 0, 0);
        for (int pixel = 0; pixel < _owners.Length; pixel++)
        {
            if (_owners[pixel] != owner) continue;
            (int x, int y) = (pixel % Width, pixel / Width);
            (x0, y0, x1, y1, seen) = (Math.Min(x0, x), Math.Min(y0, y), Math.Max(x1, x + 1), Math.Max(y1, y + 1), seen + 1);
        }

        return (x0, y0, x1, y1, seen);
    }

    /// <summary>The finished picture.</summary>
    public Picture ToPicture()
    {
        var picture = new Picture(Width, Height);
        for (int y = 0; y < Height; y++)
        {
            for (int x = 0; x < Width; x++)
                picture[x, y] = (ToByte(this[x, y, 0]), ToByte(this[x, y, 1]), ToByte(this[x, y, 2]));
        }

        return picture;
    }

    private static byte ToByte(double value) => (byte)Math.Clamp(Math.Round(value), 0, 255);

    private static int[] CreateOwners(int count)
    {
        var owners = new int[count];
        Array.Fill(owners, Nobody);
        return owners;
    }
}
