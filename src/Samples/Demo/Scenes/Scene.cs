namespace Microsoft.ML.Distillation.Samples.Demo.Scenes;

/// <summary>An object of a scene and the box around what is seen of it, in pixels.</summary>
internal sealed record SceneObject(string Name, int X0, int Y0, int X1, int Y1);

/// <summary>A drawn scene: figures of several sizes and colours that overlap, among clutter, with noise.</summary>
internal sealed record Scene(Picture Picture, IReadOnlyList<SceneObject> Objects)
{
    // Of every object at least this share stays in sight.
    private const double LeastSeen = .55;

    /// <summary>Draws a scene; the same random numbers give the same scene.</summary>
    public static Scene Draw(Random random)
    {
        var canvas = new Canvas(random.Next(160, 257), random.Next(120, 193));
        PaintBackground(canvas, random);
        for (int i = random.Next(3, 8); i > 0; i--) TryStamp(canvas, Pick(Shape.Clutter, random), 6, 22, null, [], random);

        var objects = new List<(Shape Shape, int Pixels)>();
        for (int i = random.Next(3, 9); i > 0; i--)
        {
            Shape shape = Pick(Shape.Classes, random);
            int pixels = TryStamp(canvas, shape, 9, 28, objects.Count, objects, random);
            if (pixels > 0) objects.Add((shape, pixels));
        }

        for (int i = random.Next(2, 6); i > 0; i--) TryStamp(canvas, Pick(Shape.Clutter, random), 3, 9, null, objects, random);
        AddNoise(canvas, random);
        return new Scene(canvas.ToPicture(), [.. objects.Select((o, owner) => ObjectOf(canvas, owner, o.Shape.Name))]);
    }

    /// <summary>A gradient with soft waves over it.</summary>
    private static void PaintBackground(Canvas canvas, Random random)
    {
        double[] from = DrawColor(random), to = DrawColor(random);
        var waves = new (double X, double Y, double Phase, double Strength)[4];
        for (int i = 0; i < waves.Length; i++)
            waves[i] = (.12 * Symmetric(random), .12 * Symmetric(random), 6 * random.NextDouble(), 18 * random.NextDouble());
        canvas.Paint((x, y, channel) =>
        {
            double mix = (double)x / canvas.Width * .5 + (double)y / canvas.Height * .5;
            return from[channel] + mix * (to[channel] - from[channel]) + waves.Sum(w => w.Strength * Math.Sin(w.X * x + w.Y * y + w.Phase));
        });
    }

    /// <summary>Draws a shape somewhere where it hides no object too far; returns the pixels it covers, 0 where there was no
    /// place.</summary>
    private static int TryStamp(
        Canvas canvas, Shape shape, double smallest, double largest, int? owner, List<(Shape Shape, int Pixels)> objects, Random random)
    {
        for (int attempt = 0; attempt < 12; attempt++)
        {
            double radius = smallest + (largest - smallest) * Math.Pow(random.NextDouble(), 1.5);
            double margin = owner is null ? 0 : .8 * radius;
            var pose = new Pose(
                margin + random.NextDouble() * (canvas.Width - 2 * margin), margin + random.NextDouble() * (canvas.Height - 2 * margin),
                radius, 2 * Math.PI * random.NextDouble(), .85 + .3 * random.NextDouble());
            List<(int Pixel, float Share)> covered = canvas.Cover(shape, pose);
            bool hidesTooMuch = canvas.Hidden(covered).Any(hidden =>
                canvas.BoxOf(hidden.Key).Seen - hidden.Value < LeastSeen * objects[hidden.Key].Pixels);
            if (hidesTooMuch) continue;
            canvas.Stamp(covered, owner, DrawFill(random));
            return covered.Count(c => c.Share > .5f);
        }

        return 0;
    }

    /// <summary>A colour, plain, shaded or striped.</summary>
    private static Func<int, int, int, double> DrawFill(Random random)
    {
        double[] color = DrawColor(random);
        double strength = random.Next(4) == 0 ? 25 + 30 * random.NextDouble() : 12 * random.NextDouble();
        double dx = Symmetric(random), dy = Symmetric(random);
        return (x, y, channel) => color[channel] + strength * Math.Sin(dx * x + dy * y);
    }

    private static void AddNoise(Canvas canvas, Random random)
    {
        double strength = 3 + 11 * random.NextDouble(), light = .75 + .4 * random.NextDouble();
        canvas.Paint((x, y, channel) => light * canvas[x, y, channel] + strength * Normal(random));
    }

    private static SceneObject ObjectOf(Canvas canvas, int owner, string name)
    {
        (int x0, int y0, int x1, int y1, _) = canvas.BoxOf(owner);
        return new SceneObject(name, x0, y0, x1, y1);
    }

    private static Shape Pick(Shape[] shapes, Random random) => shapes[random.Next(shapes.Length)];

    private static double[] DrawColor(Random random)
        => [40 + 190 * random.NextDouble(), 40 + 190 * random.NextDouble(), 40 + 190 * random.NextDouble()];

    private static double Symmetric(Random random) => 2 * random.NextDouble() - 1;

    private static double Normal(Random random)
        => Math.Sqrt(-2 * Math.Log(1 - random.NextDouble())) * Math.Cos(2 * Math.PI * random.NextDouble());
}
