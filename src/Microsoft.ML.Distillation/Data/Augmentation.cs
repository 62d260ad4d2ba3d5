using System.Numerics;
using System.Runtime.InteropServices;
using Microsoft.ML.Distillation.Images;
using Microsoft.ML.Distillation.Rows;

namespace Microsoft.ML.Distillation.Data;

/// <summary>How one image is varied in one epoch; the same for every view of it.</summary>
internal readonly record struct Augmentation(ImageGeometry Geometry, ColorFactors Colors)
{
    private const int CropAttempts = 10;

    /// <summary>The image as it is.</summary>
    public static readonly Augmentation Identity = new(ImageGeometry.Identity, ColorFactors.Identity);

    /// <summary>A rectangle that is painted over; <see langword="null"/>: none.</summary>
    public Cutout? Cutout { get; init; }

    /// <summary>Draws a variation.</summary>
    /// <param name="annotation">The image's objects: a crop shows the centre of at least one of them, if there is any.</param>
    /// <param name="size">The image's size.</param>
    /// <param name="random">Draws mirror, brightness, contrast, saturation, zoom and region.</param>
    /// <param name="further">Draws all else.</param>
    public static Augmentation Draw(
        AugmentationOptions options, Annotation annotation, ImageSize size, Random random, Random further)
    {
        // Every number is drawn whatever the options, so that switching one variation off leaves the others as they are.
        bool mirror = random.Next(2) == 1, flip = further.Next(2) == 1, transpose = further.Next(2) == 1;
        float brightness = Factor(random, options.ColorJitter);
        float contrast = Factor(random, options.ColorJitter);
        float saturation = Factor(random, options.ColorJitter);
        float zoom = Factor(random, options.ScaleJitter);
        float stretch = MathF.Sqrt(Ratio(further, options.StretchJitter));
        float hue = options.HueJitter * (2 * further.NextSingle() - 1);
        bool isGrey = further.NextSingle() < options.GrayscaleShare;
        Cutout cutout = Data.Cutout.Draw(options.Cutout, further);

        (float width, float height) = (stretch / zoom, 1 / (stretch * zoom));
        transpose &= options.QuarterTurns;
        // What becomes rows is measured along the other side of the image: its pixels keep their shape.
        if (transpose) (width, height) = (height * size.Height / size.Width, width * size.Width / size.Height);
        ImageGeometry region = (width, height) == (1, 1) ? ImageGeometry.Identity : DrawRegion(width, height, annotation, random);
        return new Augmentation(
            region with
            {
                Mirror = (options.HorizontalFlip || options.QuarterTurns) && mirror,
                Flip = (options.VerticalFlip || options.QuarterTurns) && flip,
                Transpose = transpose,
            },
            new ColorFactors(brightness, contrast, isGrey ? 0 : saturation) { Hue = hue })
        {
            Cutout = options.Cutout > 0 ? cutout : null,
        };
    }

    private static ImageGeometry DrawRegion(float width, float height, Annotation annotation, Random random)
    {
        for (int attempt = 0; attempt < CropAttempts; attempt++)
        {
            // Either sign: a small region lies inside the image, a large one contains it.
            float x = random.NextSingle() * (1 - width);
            float y = random.NextSingle() * (1 - height);
            var region = new ImageGeometry(x, y, width, height, false);
            if (annotation.Count == 0 || ShowsAny(region, annotation)) return region;
        }

        // No luck: around the first object.
        return new ImageGeometry(Around(0, width), Around(1, height), width, height, false);

        float Around(int axis, float extent)
        {
            float centre = (annotation.Boxes[axis] + annotation.Boxes[axis + 2]) / 2;
            return Math.Clamp(centre - extent / 2, Math.Min(0, 1 - extent), Math.Max(0, 1 - extent));
        }
    }

    private static bool ShowsAny(ImageGeometry region, Annotation annotation)
    {
        for (int i = 0; i < annotation.Count; i++)
        {
            if (region.Shows(annotation.Boxes.AsSpan(4 * i, 4))) return true;
        }

        return false;
    }

    private static float Factor(Random random, float range) => 1 + range * (2 * random.NextSingle() - 1);

    /// <summary>As often above 1 as below.</summary>
    private static float Ratio(Random random, float range) => MathF.Pow(1 + range, 2 * random.NextSingle() - 1);
}

/// <summary>A rectangle of what is shown that is painted over with the mean colour (DeVries and Taylor 2017); shares of it.</summary>
internal readonly record struct Cutout(float X0, float Y0, float X1, float Y1)
{
    /// <summary>Draws one.</summary>
    /// <param name="most">Its largest width and height.</param>
    public static Cutout Draw(float most, Random random)
    {
        (float width, float height) = (most * random.NextSingle(), most * random.NextSingle());
        (float x, float y) = (random.NextSingle() * (1 - width), random.NextSingle() * (1 - height));
        return new Cutout(x, y, x + width, y + height);
    }

    /// <summary>Paints planes [3,H,W] of a size.</summary>
    public void Apply(Span<float> planes, ImageSize size)
    {
        int left = (int)MathF.Round(X0 * size.Width), right = (int)MathF.Round(X1 * size.Width);
        int top = (int)MathF.Round(Y0 * size.Height), bottom = (int)MathF.Round(Y1 * size.Height);
        for (int plane = 0; plane < 3; plane++)
        {
            for (int y = top; y < bottom; y++)
                planes.Slice((plane * size.Height + y) * size.Width + left, right - left).Fill(AntialiasedResize.PadColor[plane]);
        }
    }
}

/// <summary>
/// Changes of colour, applied in this order: brightness scales all values, contrast their distance from the image's mean grey,
/// saturation their distance from the pixel's own grey. 1 changes nothing. Before them the hue is turned.
/// </summary>
internal readonly record struct ColorFactors(float Brightness, float Contrast, float Saturation)
{
    /// <summary>By how much of a circle colours are turned about the axis of greys, −0.5 to 0.5: a third makes red green.</summary>
    public float Hue { get; init; }

    private const float Red = 0.299f, Green = 0.587f, Blue = 0.114f;

    /// <summary>The colours as they are.</summary>
    public static readonly ColorFactors Identity = new(1, 1, 1);

    /// <summary>The mean grey (ITU-R 601) of planes [3,H,W].</summary>
    public static float MeanGrey(ReadOnlySpan<float> planes)
    {
        int area = planes.Length / 3;
        return Red * Mean(planes[..area]) + Green * Mean(planes.Slice(area, area)) + Blue * Mean(planes[(2 * area)..]);
    }

    /// <summary>Changes the colours of planes [3,H,W] in place; results are cut off at 0 and 1.</summary>
    /// <param name="meanGrey">The image's mean grey, the same for every view of the image.</param>
    public void Apply(Span<float> planes, float meanGrey)
    {
        if (Hue != 0) Turn(planes);
        // With k = contrast · brightness the three steps are one: saturation·k·x + (1 − saturation)·k·grey(x) + (1 −
        // contrast)·brightness·mean.
        float own = Saturation * Contrast * Brightness;
        float grey = (1 - Saturation) * Contrast * Brightness;
        float constant = (1 - Contrast) * Brightness * meanGrey;
        int area = planes.Length / 3;
        Span<float> red = planes[..area], green = planes.Slice(area, area), blue = planes[(2 * area)..];

        int done = Vector<float>.Count * (area / Vector<float>.Count);
        Span<Vector<float>> reds = MemoryMarshal.Cast<float, Vector<float>>(red[..done]);
        Span<Vector<float>> greens = MemoryMarshal.Cast<float, Vector<float>>(green[..done]);
        Span<Vector<float>> blues = MemoryMarshal.Cast<float, Vector<float>>(blue[..done]);
        for (int i = 0; i < reds.Length; i++)
        {
            Vector<float> shift = (reds[i] * Red + greens[i] * Green + blues[i] * Blue) * grey + new Vector<float>(constant);
            reds[i] = Cut(reds[i] * own + shift);
            greens[i] = Cut(greens[i] * own + shift);
            blues[i] = Cut(blues[i] * own + shift);
        }

        for (int i = done; i < area; i++)
        {
            float shift = (red[i] * Red + green[i] * Green + blue[i] * Blue) * grey + constant;
            red[i] = Math.Clamp(red[i] * own + shift, 0, 1);
            green[i] = Math.Clamp(green[i] * own + shift, 0, 1);
            blue[i] = Math.Clamp(blue[i] * own + shift, 0, 1);
        }
    }

    /// <summary>Turns colours about the axis on which red, green and blue are equal (Rodrigues' formula); their sum stays.</summary>
    private void Turn(Span<float> planes)
    {
        (float sin, float cos) = MathF.SinCos(2 * MathF.PI * Hue);
        float mean = (1 - cos) / 3, side = sin / MathF.Sqrt(3);
        int area = planes.Length / 3;
        Span<float> red = planes[..area], green = planes.Slice(area, area), blue = planes[(2 * area)..];
        for (int i = 0; i < area; i++)
        {
            (float r, float g, float b) = (red[i], green[i], blue[i]);
            float grey = mean * (r + g + b);
            red[i] = Math.Clamp(cos * r + grey + side * (b - g), 0, 1);
            green[i] = Math.Clamp(cos * g + grey + side * (r - b), 0, 1);
            blue[i] = Math.Clamp(cos * b + grey + side * (g - r), 0, 1);
        }
    }

    private static Vector<float> Cut(Vector<float> values) => Vector.Min(Vector.Max(values, Vector<float>.Zero), Vector<float>.One);

    private static float Mean(ReadOnlySpan<float> values)
    {
        double sum = 0;
        foreach (float value in values) sum += value;
        return (float)(sum / values.Length);
    }
}

/// <summary>Random numbers that depend on nothing but the seed, the epoch and the image, whichever thread draws them and when.</summary>
internal static class SampleRandom
{
    /// <summary>The generator of one image in one epoch.</summary>
    public static Random For(int seed, int epoch, int index)
        => new((int)(Mix(Mix(Mix((uint)seed) + (uint)epoch) + (uint)index) >> 33));

    /// <summary>Another generator of one image in one epoch, unrelated to <see cref="For"/>.</summary>
    public static Random FurtherFor(int seed, int epoch, int index)
        => new((int)(Mix(Mix(Mix(1UL << 32 | (uint)seed) + (uint)epoch) + (uint)index) >> 33));

    /// <summary>The order of an epoch's images.</summary>
    public static int[] Permutation(int count, int seed, int epoch)
    {
        int[] order = [.. Enumerable.Range(0, count)];
        For(seed, epoch, -1).Shuffle(order);
        return order;
    }

    /// <summary>The order of one round through one part of a data set, where training draws from several.</summary>
    public static int[] Round(int count, int seed, int part, long round)
    {
        int[] order = [.. Enumerable.Range(0, count)];
        new Random((int)(Mix(Mix(Mix(~(ulong)(uint)seed) + (uint)part) + (ulong)round) >> 33)).Shuffle(order);
        return order;
    }

    /// <summary>One step of splitmix64 (Steele, Lea, Flood 2014): neighbouring inputs give unrelated outputs.</summary>
    private static ulong Mix(ulong value)
    {
        value += 0x9E3779B97F4A7C15;
        value = (value ^ (value >> 30)) * 0xBF58476D1CE4E5B9;
        value = (value ^ (value >> 27)) * 0x94D049BB133111EB;
        return value ^ (value >> 31);
    }
}
